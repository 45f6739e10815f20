import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { isUnnamedAnswer } from './fields.ts'

/**
 * A response's input as items with ids: a text becomes a user message, a reference the item that `findItems` has.
 * `stem` makes ids for items without one. Throws Failure `not_found` for an unknown reference, and `invalid_request`
 * for two to one item. The input must have passed `responsesFields`.
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
    const meant = found?.get(id)
    if (meant === undefined) throw noSuchItem(id)
    return meant
  })
}

/** The ids that an input refers to, of items that are kept. */
export function referencesIn(input: unknown): readonly string[] {
  const items = (Array.isArray(input) ? input : []).filter(isObject).filter(isReference)
  return [...new Set(items.map(({ id }) => spell(id)))]
}

function isReference({ type, role }: JsonObject): boolean {
  return type === 'item_reference' || ((type ?? null) === null && role === undefined)
}

/** The item in its listed form: with a type, an id, and text as a part. */
function identified(item: JsonObject, rest: string): JsonObject {
  const type = typeof item['type'] === 'string' ? item['type'] : 'message'
  const id =
    typeof item['id'] === 'string' && item['id'] !== ''
      ? item['id']
      : `${prefixes.get(type) ?? 'item'}_${rest}`
  if (type !== 'message') return { ...item, id }
  const { content } = item
  const role = isUnnamedAnswer(item) ? 'assistant' : item['role']
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
