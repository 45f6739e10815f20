import { type JsonObject, objectIn } from '../model/json/json.ts'

/** How the input of a custom tool, a text of any kind, is told as the arguments of a function. */
export const customInput = {
  /** The function's parameters. */
  schema: {
    type: 'object',
    properties: { input: { type: 'string', description: 'All that the tool is given, word for word.' } },
    required: ['input'],
    additionalProperties: false,
  } satisfies JsonObject,

  toArguments: (input: unknown): string => JSON.stringify({ input }),

  /** The input in a function's arguments. Some models write it down as it is: then that is the input. */
  fromArguments(text: string): string {
    const given = objectIn(text)
    // A call whose arguments never came was given none.
    if (given !== undefined && Object.keys(given).length === 0) return ''
    const input = given?.['input']
    return typeof input === 'string' ? input : text
  },
}
