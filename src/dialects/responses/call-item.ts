import { customInput } from '../../core/adapt/custom-input.ts'
import type { ToolCall } from '../../core/model/call.ts'
import { type JsonObject, spell } from '../../core/model/json/json.ts'
import { createJsonObjectWriter, type JsonObjectWriter } from '../shared/json-object-writer.ts'
import type { ItemParts } from './item.ts'
import type { ToolOrigin } from './tools.ts'

/** A call of a function or a custom tool, as an output item of a response. */
export interface CallItem {
  readonly type: 'call'
  add(called: ToolCall['function']): void
  /** Sends what has come. False while the tool's name is unknown. */
  advance(): boolean
  /** Sends the end. */
  end(isCutShort: boolean): void
  /** The arguments so far. */
  readonly spelled: JsonObjectWriter
}

export function createCallItem(
  callId: string,
  origins: ReadonlyMap<string, ToolOrigin>,
  { stem, tell, place }: ItemParts,
): CallItem {
  let name: string | undefined
  const spelled = createJsonObjectWriter()
  let untold = ''
  let open: Open | undefined
  const opening = (chatName: string): Open => {
    const { type, ...rest } = origins.get(chatName) ?? {
      type: 'function',
      name: chatName,
      namespace: undefined,
    }
    const isCustom = type === 'custom'
    const item: JsonObject = {
      id: '',
      type: isCustom ? 'custom_tool_call' : 'function_call',
      status: 'in_progress',
      [isCustom ? 'input' : 'arguments']: '',
      call_id: callId,
      name: rest.name,
      ...(rest.namespace === undefined ? {} : { namespace: rest.namespace }),
    }
    const index = place(item)
    const id = `${isCustom ? 'ctc' : 'fc'}_${stem}_${index}`
    item['id'] = id
    tell('response.output_item.added', { output_index: index, item })
    return { item, isCustom, where: { item_id: id, output_index: index } }
  }
  const tellDelta = ({ where }: Open, kind: string, delta: string) => {
    if (delta !== '') tell(`response.${kind}.delta`, { ...where, delta })
  }
  return {
    type: 'call',
    spelled,
    add(called) {
      name ??= called?.name
      const piece = called?.arguments ?? ''
      spelled.add(piece)
      untold += piece
    },
    advance() {
      if (name === undefined) return false
      open ??= opening(name)
      // A custom tool's input cannot be sent before its arguments are complete.
      if (open.isCustom) return true
      open.item['arguments'] = spelled.text()
      tellDelta(open, 'function_call_arguments', untold)
      untold = ''
      return true
    },
    end(isCutShort) {
      open ??= opening(name ?? '')
      const { item, isCustom, where } = open
      const text = spelled.text()
      item['status'] = isCutShort ? 'incomplete' : 'completed'
      item[isCustom ? 'input' : 'arguments'] = isCustom ? customInput.fromArguments(text) : text
      // Some clients run any call whose end they receive.
      if (isCutShort) return
      if (isCustom) {
        const input = spell(item['input'])
        tellDelta(open, 'custom_tool_call_input', input)
        tell('response.custom_tool_call_input.done', { ...where, input })
      } else {
        tell('response.function_call_arguments.done', { ...where, name: item['name'], arguments: text })
      }
      tell('response.output_item.done', { output_index: where.output_index, item })
    },
  }
}

type Open = {
  readonly item: JsonObject
  readonly isCustom: boolean
  readonly where: { readonly item_id: string; readonly output_index: number }
}
