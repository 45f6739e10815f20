import type * as z from 'zod'
import {
  aBoolean,
  aDecimal,
  anInteger,
  anObject,
  anyInteger,
  anything,
  aString,
  form,
  list,
  nothingBut,
} from './schemas.ts'

/** The request fields that text and chat completions share, with OpenAI's bounds. */
export const samplingFields = {
  model: aString,
  max_tokens: anInteger.min(0),
  temperature: aDecimal.min(0).max(2),
  top_p: aDecimal.min(0).max(1),
  frequency_penalty: aDecimal.min(-2).max(2),
  presence_penalty: aDecimal.min(-2).max(2),
  n: anInteger.min(1).max(128),
  // Clients send keys that are no token ids and values that are no biases: the upstream knows its own.
  logit_bias: anObject(),
  seed: anyInteger,
  stop: stopOf({}),
  stream: aBoolean,
  stream_options: anObject({
    include_usage: aBoolean.nullish(),
    include_obfuscation: aBoolean.nullish(),
  }),
  user: aString,
  // What a caller says of where the call may run: read, and taken out, by the steering.
  models: anything,
  provider: anything,
} satisfies Record<string, z.ZodType>

/** What OpenAI holds to more than can be done elsewhere. */
export const strictSamplingFields = {
  ...samplingFields,
  stop: stopOf({ minLength: 1, maxLength: 4 }),
} satisfies Record<string, z.ZodType>

function stopOf(limits: { readonly minLength?: number; readonly maxLength?: number }): z.ZodType {
  const strings = list(aString, 'an array of strings', limits)
  return form((value) => {
    if (typeof value === 'string') return undefined
    return Array.isArray(value) ? strings : nothingBut('one of a string or array of strings')
  })
}
