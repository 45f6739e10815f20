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

/** Limits of stop strings, because every piece of an answer is compared with each of them. */
const mostStops = 128
const longestStop = 1024

const aStop = aString.refine(
  ({ length }) => length <= longestStop,
  `a string of at most ${longestStop} characters`,
)

/** The request fields that text and chat completions share, with OpenAI's bounds. */
export const samplingFields = {
  model: aString,
  max_tokens: anInteger.min(0),
  temperature: aDecimal.min(0).max(2),
  top_p: aDecimal.min(0).max(1),
  frequency_penalty: aDecimal.min(-2).max(2),
  presence_penalty: aDecimal.min(-2).max(2),
  n: anInteger.min(1).max(128),
  // Token ids and biases are not checked, because only the upstream knows its vocabulary.
  logit_bias: anObject(),
  seed: anyInteger,
  stop: stopOf({}),
  stream: aBoolean,
  stream_options: anObject({
    include_usage: aBoolean.nullish(),
    include_obfuscation: aBoolean.nullish(),
  }),
  user: aString,
  // The steering fields, which the gateway reads and removes.
  models: anything,
  provider: anything,
} satisfies Record<string, z.ZodType>

/** The same fields with OpenAI's narrower limits. */
export const strictSamplingFields = {
  ...samplingFields,
  stop: stopOf({ minLength: 1, maxLength: 4 }),
} satisfies Record<string, z.ZodType>

/** A list of stop strings. */
export function stopStrings(limits: StopLimits = {}): z.ZodType {
  const { maxLength = mostStops } = limits
  return list(aStop, 'an array of strings', { ...limits, maxLength })
}

type StopLimits = { readonly minLength?: number; readonly maxLength?: number }

function stopOf(limits: StopLimits): z.ZodType {
  const strings = stopStrings(limits)
  return form((value) => {
    if (typeof value === 'string') return aStop
    return Array.isArray(value) ? strings : nothingBut('one of a string or array of strings')
  })
}
