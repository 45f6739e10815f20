import { samplingFields, strictSamplingFields } from '../shared/sampling-fields.ts'
import { aBoolean, anInteger, aString } from '../shared/schemas.ts'
import { type Fields, fieldsOf } from '../shared/validate.ts'
import { promptSchema } from './prompt-schema.ts'

const shapes = {
  prompt: promptSchema(),
  suffix: aString,
  echo: aBoolean,
  logprobs: anInteger.min(0).max(5),
  best_of: anInteger.min(0).max(20),
}

/** The fields of a text completion's request, as far as a gateway must insist on them. */
export const textFields: Fields = fieldsOf({ ...samplingFields, ...shapes })

/** The same, as OpenAI insists. */
export const strictTextFields: Fields = fieldsOf({ ...strictSamplingFields, ...shapes })
