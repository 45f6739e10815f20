import { isObject, type JsonObject } from '../core/model/json/json.ts'

/**
 * The names and lengths in a body, without its values: `messages[2].content` with 140 characters is `{"messages":
 * [{"role": "text 4", "content": "text 140"}, ...]}`. Names that callers choose are only counted.
 */
export function bodyShape(body: JsonObject): unknown {
  return shapeOf(body, 0)
}

function shapeOf(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return `text ${value.length}`
  if (Array.isArray(value)) {
    if (depth >= deepest) return `list ${value.length}`
    const shown = value.slice(0, mostItems).map((item) => shapeOf(item, depth + 1))
    return value.length > mostItems ? [...shown, `and ${value.length - mostItems} more`] : shown
  }
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  if (JSON.isRawJSON(value) || !isObject(value)) return 'number'
  const names = Object.keys(value)
  if (depth >= deepest) return `section ${names.length}`
  const members = names
    .slice(0, mostNames)
    .map((name) => [nameOf(name), memberShape(name, value[name], depth)])
  const more = names.length > mostNames ? { '…': `and ${names.length - mostNames} more` } : {}
  return { ...Object.fromEntries(members), ...more }
}

function memberShape(name: string, value: unknown, depth: number): unknown {
  return isObject(value) && ownNames.has(name)
    ? `section ${Object.keys(value).length}`
    : shapeOf(value, depth + 1)
}

/** Objects whose member names a caller or a model chooses. */
const ownNames: ReadonlySet<string> = new Set([
  ...['metadata', 'logit_bias', 'parameters', 'input_schema', 'schema', 'properties', 'input', 'arguments'],
  ...['chat_template_kwargs', 'extra_body', 'variables', 'prompt', 'headers'],
])

/** Looks like a field's name. */
function nameOf(name: string): string {
  return /^[a-z][a-z0-9_]{0,39}$/i.test(name) ? name : `name ${name.length}`
}

const deepest = 4
const mostItems = 8
const mostNames = 48
