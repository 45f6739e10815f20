import { samplingFields, strictSamplingFields } from './sampling-fields.ts'
import { aBoolean, anInteger, aString, form, list, nothingBut } from './shape.ts'
import { type Fields, fieldsOf } from './validate.ts'

const strings = list(aString, 'an array of strings', { minLength: 1, plain: isString })
const tokens = list(anInteger.min(0), 'an array of integers', { minLength: 1, plain: isToken })
const tokenLists = list(tokens, 'an array of arrays of integers', { minLength: 1 })
const noPrompt = nothingBut(
  'one of a string, array of strings, array of integers, or array of arrays of integers',
)

const shapes = {
  // The first element decides what an array is: mixed ones are refused.
  prompt: form((value) => {
    if (typeof value === 'string') return undefined
    if (!Array.isArray(value)) return noPrompt
    if (Array.isArray(value[0])) return tokenLists
    return typeof value[0] === 'number' ? tokens : strings
  }),
  suffix: aString,
  echo: aBoolean,
  logprobs: anInteger.min(0).max(5),
  best_of: anInteger.min(0).max(20),
}

/** The fields of a text completion's request, as far as a gateway must insist on them. */
export const textFields: Fields = fieldsOf({ ...samplingFields, ...shapes })

/** The same, as OpenAI insists. */
export const strictTextFields: Fields = fieldsOf({ ...strictSamplingFields, ...shapes })

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isToken(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
