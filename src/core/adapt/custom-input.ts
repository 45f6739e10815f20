import { type JsonObject, objectIn } from '../model/json/json.ts'

/** How the input of a custom tool, any text, is written as the arguments of a function. */
export const customInput = {
  /** The function's parameters. */
  schema: {
    type: 'object',
    properties: { input: { type: 'string', description: 'All that the tool is given, word for word.' } },
    required: ['input'],
    additionalProperties: false,
  } satisfies JsonObject,

  toArguments: (input: unknown): string => JSON.stringify({ input }),

  /** The input in a function's arguments. Some models write it without JSON: then the text itself is the input. */
  fromArguments(text: string): string {
    const given = objectIn(text)
    // A call without arguments has empty input.
    if (given !== undefined && Object.keys(given).length === 0) return ''
    const input = given?.['input']
    return typeof input === 'string' ? input : text
  },
}
