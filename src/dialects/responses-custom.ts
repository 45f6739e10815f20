import { isObject, type JsonObject, parseJson } from '../core/json.ts'

/** How the input of a custom tool, a text of any kind, is told as the arguments of a function. */
export const customInput = {
  /** The function's parameters. */
  schema: {
    type: 'object',
    properties: { input: { type: 'string', description: 'The whole input of the tool, as it is.' } },
    required: ['input'],
    additionalProperties: false,
  } satisfies JsonObject,

  toArguments: (input: string): string => JSON.stringify({ input }),

  /** The input in a function's arguments. Some models write it down as it is: then that is the input. */
  fromArguments(text: string): string {
    const { input } = objectIn(text) ?? {}
    return typeof input === 'string' ? input : text
  },
}

/** The object that a text spells; undefined where it spells none, or not the whole of one. */
export function objectIn(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text)
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
