import type { SimulatedError } from '../script/script.ts'

/**
 * The forms of a job's `error`: plain text, the JSON of an exception, the trace of a generator, a printed Python
 * dictionary.
 */
export const errorForms = ['plain', 'exception', 'handler', 'python'] as const

export type ErrorForm = (typeof errorForms)[number]

/** An error answer of the server inside the worker. */
export type WorkerRefusal = { readonly status: number; readonly error: SimulatedError }

/**
 * A worker's error in one of the forms. Only the dictionary of the newest worker contains the status and the full
 * answer of the server inside it. An exception and a generator contain names of machines and source code.
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

/** A text as Python's repr() prints it in single quotes. */
function printed(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')
  return `'${escaped}'`
}
