import { errorForms, errorText } from './errors.ts'
import type { Outcome } from './jobs.ts'

/**
 * Failures of a job that no script has, by the name of its model: `runpod-` and one of these, also after a slash.
 * Undefined for any other name.
 */
export function fateOf(model: string): Outcome | undefined {
  return fates.get(model.slice(model.lastIndexOf('/') + 1))
}

/** The most surprising answer of OpenAI's path: status 200, without any of what was requested. */
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

const fates: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
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

/** All names that spell a job's failure. */
export const fateNames: readonly string[] = [...fates.keys(), garbageModel]
