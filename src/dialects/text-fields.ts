import { samplingFields, strictSamplingFields } from './sampling-fields.ts'
import { aBoolean, anInteger, aString } from './shape.ts'
import { textsOrTokens } from './texts-or-tokens.ts'
import { type Fields, fieldsOf } from './validate.ts'

const shapes = {
  prompt: textsOrTokens(),
  suffix: aString,
  echo: aBoolean,
  logprobs: anInteger.min(0).max(5),
  best_of: anInteger.min(0).max(20),
}

/** The fields of a text completion's request, as far as a gateway must insist on them. */
export const textFields: Fields = fieldsOf({ ...samplingFields, ...shapes })

/** The same, as OpenAI insists. */
export const strictTextFields: Fields = fieldsOf({ ...strictSamplingFields, ...shapes })
