import type { SimulatedError } from '../script/script.ts'

/** The forms of a job's `error`: bare text, an exception's JSON, a generator's trace, a printed dictionary. */
export const errorForms = ['plain', 'exception', 'handler', 'python'] as const

export type ErrorForm = (typeof errorForms)[number]

/** An answer of the server inside the worker. */
export type WorkerRefusal = { readonly status: number; readonly error: SimulatedError }

/**
 * A worker's error in one of the forms. Only the dictionary of the newest worker has the status and the full answer of
 * the server inside; an exception and a generator have machines and code instead.
 */
export function errorText(form: ErrorForm, refused: WorkerRefusal): string {
  const { message } = refused.error
  switch (form) {
    case 'plain':
      return message
    case 'exception':
      return JSON.stringify({
        error_type: "<class 'RuntimeError'>",
        error_message: message,
        error_traceback: trace,
        hostname: 'simworker0001-64410f3e',
        worker_id: 'simworker0001',
        runpod_version: '1.7.13',
      })
    case 'handler':
      return `handler: ${message} \ntraceback: ${trace}`
    case 'python':
      return `{'message': ${printed(vllmText(refused))}, 'type': 'worker_error', 'code': None}`
  }
}

function vllmText({ status, error }: WorkerRefusal): string {
  return `vLLM returned HTTP ${status}: ${JSON.stringify({ error: { ...error, code: status } })}`
}

const trace = 'Traceback (most recent call last):\n  File "/src/handler.py", line 42, in handler\n'

/** As Python's repr() prints a text with a double quote, or without a single one. */
function printed(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')
  return `'${escaped}'`
}
