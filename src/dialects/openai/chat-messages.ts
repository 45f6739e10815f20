import type * as z from 'zod'
import { isObject, spell } from '../../core/model/json/json.ts'
import { anObject, aString, form, list, nothingBut, oneOf } from '../shared/schemas.ts'

const someArguments = form((value) => (isObject(value) ? undefined : aString))

const imageUrl = form((value) => (typeof value === 'string' ? undefined : anImage))
const anImage = anObject({ url: aString, detail: aString.nullish() })

/** Parts of other types are forwarded, for upstreams that support them. */
const parts = new Map<unknown, z.ZodType>([
  ['text', anObject({ text: aString })],
  ['refusal', anObject({ refusal: aString })],
  ['image_url', anObject({ image_url: imageUrl })],
  ['input_audio', anObject({ input_audio: anObject({ data: aString, format: aString }) })],
  ['file', anObject({ file: anObject() })],
])
const otherPart = anObject({ type: aString })
const part = form((value) => parts.get(isObject(value) ? value['type'] : undefined) ?? otherPart)

const noContent = nothingBut('one of a string or array of objects')
const content = contentOf(1)

const instruction = anObject({ content, name: aString.nullish() })

/**
 * The messages of a chat. Each is checked by its role; other fields, such as an assistant's `reasoning_content`, are
 * ignored. It accepts some deviations from OpenAI's rules, which `chatCallOf` repairs.
 */
export const messages: z.ZodType = messagesWith(someArguments, contentOf(0).nullable())

/** The same, with OpenAI's checks. */
export const strictMessages: z.ZodType = messagesWith(aString, contentOf(0))

function messagesWith(callArguments: z.ZodType, toolContent: z.ZodType): z.ZodType {
  const toolCall = anObject({
    id: aString.nullish(),
    type: aString.nullish(),
    function: anObject({ name: aString, arguments: callArguments.nullish() }).nullish(),
  })
  const roles = new Map<unknown, z.ZodType>([
    ['system', instruction],
    [
      'assistant',
      anObject({
        // Absent, null or empty beside tool calls.
        content: contentOf(0).nullish(),
        refusal: aString.nullish(),
        name: aString.nullish(),
        tool_calls: list(toolCall, 'an array of objects').nullish(),
        function_call: anObject({ name: aString, arguments: aString.nullish() }).nullish(),
        audio: anObject().nullish(),
      }),
    ],
    ['user', instruction],
    ['function', anObject({ content: contentOf(0).nullish(), name: aString.nullish() })],
    ['tool', anObject({ content: toolContent, tool_call_id: aString.nullish(), name: aString.nullish() })],
    ['developer', instruction],
  ])
  const otherRole = anObject({ role: oneOf([...roles.keys()].map(spell)) })
  const message = form((value) => roles.get(isObject(value) ? value['role'] : undefined) ?? otherRole)
  const plain = (value: unknown) => isPlainMessage(value, roles)
  return list(message, 'an array of objects', { minLength: 1, plain })
}

/** The fast path: most messages have a known role and plain content. */
function isPlainMessage(value: unknown, roles: ReadonlyMap<unknown, z.ZodType>): boolean {
  if (!hasOnly(value, 'role', 'content') || !roles.has(value['role'])) return false
  const { content } = value
  if (typeof content === 'string') return true
  return Array.isArray(content) && content.length > 0 && content.every(isPlainPart)
}

function isPlainPart(value: unknown): boolean {
  return hasOnly(value, 'type', 'text') && value['type'] === 'text' && typeof value['text'] === 'string'
}

function hasOnly(value: unknown, one: string, other: string): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  for (const key in value) if (key !== one && key !== other) return false
  return true
}

function contentOf(minLength: number): z.ZodType {
  const ofParts = list(part, 'an array of objects', { minLength })
  return form((value) => {
    if (typeof value === 'string') return undefined
    return Array.isArray(value) ? ofParts : noContent
  })
}
