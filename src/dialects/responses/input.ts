import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { isAssistantWithoutRole } from './fields.ts'

/**
 * The input of a response as items with ids. A string becomes a user message. A reference becomes the item that
 * `findItems` returns. Items without an id get one that is made from `stem`. Throws Failure `not_found` for an unknown
 * reference, and `invalid_request` for two references to one item. The input must have passed `responsesFields`.
 */
export function inputItems(
  input: unknown,
  stem: string,
  findItems: (ids: ReadonlySet<string>) => ReadonlyMap<string, JsonObject>,
): readonly JsonObject[] {
  if (typeof input === 'string') return [identified({ role: 'user', content: input }, `${stem}_in_0`)]
  const items = (Array.isArray(input) ? input : []).filter(isObject)
  const ids = new Set<string>()
  for (const item of items) {
    if (!isReference(item)) continue
    const id = spell(item['id'])
    if (ids.has(id)) throw duplicateItem(id)
    ids.add(id)
  }
  const found = ids.size === 0 ? undefined : findItems(ids)
  return items.map((item, place) => {
    if (!isReference(item)) return identified(item, `${stem}_in_${place}`)
    const id = spell(item['id'])
    const referenced = found?.get(id)
    if (referenced === undefined) throw noSuchItem(id)
    return referenced
  })
}

/** The ids of stored items that an input refers to. */
export function referencesIn(input: unknown): readonly string[] {
  const items = (Array.isArray(input) ? input : []).filter(isObject).filter(isReference)
  return [...new Set(items.map(({ id }) => spell(id)))]
}

function isReference({ type, role }: JsonObject): boolean {
  return type === 'item_reference' || ((type ?? null) === null && role === undefined)
}

/** The item in the form in which items are listed: with a type, an id, and text as a part. */
function identified(item: JsonObject, rest: string): JsonObject {
  const type = typeof item['type'] === 'string' ? item['type'] : 'message'
  const id =
    typeof item['id'] === 'string' && item['id'] !== ''
      ? item['id']
      : `${prefixes.get(type) ?? 'item'}_${rest}`
  if (type !== 'message') return { ...item, id }
  const { content } = item
  const role = isAssistantWithoutRole(item) ? 'assistant' : item['role']
  const part =
    role === 'assistant'
      ? { type: 'output_text', text: content, annotations: [] }
      : { type: 'input_text', text: content }
  return {
    status: 'completed',
    ...item,
    id,
    type,
    role,
    content: typeof content === 'string' ? [part] : content,
  }
}

const prefixes: ReadonlyMap<string, string> = new Map([
  ['message', 'msg'],
  ['reasoning', 'rs'],
  ['function_call', 'fc'],
  ['function_call_output', 'fco'],
  ['custom_tool_call', 'ctc'],
  ['custom_tool_call_output', 'ctco'],
])

function noSuchItem(id: string): Failure {
  return new Failure('not_found', `Item with id '${id.slice(0, 100)}' not found.`, {
    param: 'input',
    code: null,
  })
}

function duplicateItem(id: string): Failure {
  const message = `Duplicate item found with id '${id.slice(0, 100)}'.`
  return new Failure('invalid_request', message, { param: 'input' })
}
