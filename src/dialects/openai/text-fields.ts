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

/** The request fields of a text completion, with the checks that the gateway needs. */
export const textFields: Fields = fieldsOf({ ...samplingFields, ...shapes })

/** The same, with OpenAI's checks. */
export const strictTextFields: Fields = fieldsOf({ ...strictSamplingFields, ...shapes })
