import { errorForms, errorText } from './errors.ts'
import type { Outcome } from './jobs.ts'

/**
 * The outcome of a job that fails in a way that scripts do not have. The model's name, or the part after its last
 * slash, selects it: `runpod-failed-plain`. Undefined for other names.
 */
export function failureOutcomeOf(model: string): Outcome | undefined {
  return outcomes.get(model.slice(model.lastIndexOf('/') + 1))
}

/** An answer of OpenAI's path with status 200 that is neither an answer nor an error. */
export const garbageModel = 'runpod-garbage'

export const garbage = {
  err: 'api',
  traceback: 'Traceback (most recent call last):\n  File "/src/handler.py", line 7, in <module>\n',
} as const

const refused = {
  status: 400,
  error: {
    message: "The model doesn't take this: 'temperature' must be at most 2.",
    type: 'BadRequestError',
    param: 'temperature',
    code: null,
  },
} as const

const outcomes: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ...errorForms.map((form): [string, Outcome] => [
    `runpod-failed-${form}`,
    { status: 'FAILED', error: errorText(form, refused) },
  ]),
  ['runpod-retried', { status: 'FAILED', error: 'job timed out after 1 retries' }],
  ['runpod-execution-timeout', { status: 'FAILED', error: 'executionTimeout exceeded' }],
  ['runpod-timed-out', { status: 'TIMED_OUT' }],
  ['runpod-cancelled', { status: 'CANCELLED' }],
  ['runpod-no-output', { status: 'COMPLETED', output: null }],
])

/** All names of models whose jobs fail. */
export const failureNames: readonly string[] = [...outcomes.keys(), garbageModel]
