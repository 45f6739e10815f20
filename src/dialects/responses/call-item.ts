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
  /** Sends buffered deltas. False while the tool's name is unknown. */
  advance(): boolean
  /** Sends the events that end the item. */
  end(isCutShort: boolean): void
  /** The arguments so far. */
  readonly argumentsJson: JsonObjectWriter
}

export function createCallItem(
  callId: string,
  origins: ReadonlyMap<string, ToolOrigin>,
  { stem, send, place }: ItemParts,
): CallItem {
  let name: string | undefined
  const argumentsJson = createJsonObjectWriter()
  let unsent = ''
  let open: Open | undefined
  const openItem = (chatName: string): Open => {
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
    send('response.output_item.added', { output_index: index, item })
    return { item, isCustom, where: { item_id: id, output_index: index } }
  }
  const sendDelta = ({ where }: Open, kind: string, delta: string) => {
    if (delta !== '') send(`response.${kind}.delta`, { ...where, delta })
  }
  return {
    type: 'call',
    argumentsJson,
    add(called) {
      name ??= called?.name
      const piece = called?.arguments ?? ''
      argumentsJson.add(piece)
      unsent += piece
    },
    advance() {
      if (name === undefined) return false
      open ??= openItem(name)
      // A custom tool's input cannot be sent before its arguments are complete.
      if (open.isCustom) return true
      open.item['arguments'] = argumentsJson.text()
      sendDelta(open, 'function_call_arguments', unsent)
      unsent = ''
      return true
    },
    end(isCutShort) {
      open ??= openItem(name ?? '')
      const { item, isCustom, where } = open
      const text = argumentsJson.text()
      item['status'] = isCutShort ? 'incomplete' : 'completed'
      item[isCustom ? 'input' : 'arguments'] = isCustom ? customInput.fromArguments(text) : text
      // No end events for an incomplete call, because some clients run every call that ends.
      if (isCutShort) return
      if (isCustom) {
        const input = spell(item['input'])
        sendDelta(open, 'custom_tool_call_input', input)
        send('response.custom_tool_call_input.done', { ...where, input })
      } else {
        send('response.function_call_arguments.done', { ...where, name: item['name'], arguments: text })
      }
      send('response.output_item.done', { output_index: where.output_index, item })
    },
  }
}

type Open = {
  readonly item: JsonObject
  readonly isCustom: boolean
  readonly where: { readonly item_id: string; readonly output_index: number }
}
