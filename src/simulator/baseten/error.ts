import type { Refusal } from '../script/script.ts'
import type { ErrorAnswer } from '../server/openai-answer.ts'
import type { BasetenEngine } from './models.ts'

/** The error for a wrong key, on both APIs. */
export const badKey: ErrorAnswer = refuse(403, { error: 'please check the api-key you provided' })

/** The error for an unknown path. */
export const noRoute: ErrorAnswer = refuse(404, { error: 'Not found' })

export function unknownModel(id: string, fault: string | undefined): ErrorAnswer {
  return withCode(404, fault ?? `The model ${id} does not exist or is not enabled in this workspace.`)
}

/** The error for an invalid body at Model APIs, in the form of the model's engine. */
export function invalidCall(message: string, engine: BasetenEngine = 'a'): ErrorAnswer {
  return engineError(400, message, 'Bad Request', engine)
}

/** Errors of Model APIs. The engines use two forms, the platform a third. */
export function sharedRefusal(step: Refusal, engine: BasetenEngine): ErrorAnswer {
  const { status, error, retryAfterSeconds } = step
  if (status === 400 || status === 422) return engineError(status, error.message, 'Bad Request', engine)
  if (status === 401 || status === 403) return { ...badKey, status }
  if (status === 500) return refuse(500, { error: 'Internal Server Error' })
  const refused = withCode(status, error.message)
  return retryAfterSeconds === undefined
    ? refused
    : { ...refused, headers: { 'retry-after': String(retryAfterSeconds) } }
}

/** Errors of a deployment, from the platform or from the Truss server inside it. */
export function dedicatedRefusal(step: Refusal, model: string): ErrorAnswer {
  const { status, error } = step
  switch (status) {
    case 400:
    case 422:
      return trussError(status, error.message, '700')
    case 401:
    case 403:
      return { ...badKey, status }
    case 500:
      return trussError(500, 'Internal Server Error (in model/chainlet).', '600')
    case 502:
      return refuse(502, { error: 'Error making prediction' })
    case 503:
      return trussError(503, `Model with name ${model} is not ready.`, '600')
    default:
      return sharedRefusal(step, 'a')
  }
}

/** An error of the Truss server. Its headers name the source. */
export function trussError(status: number, message: string, code: '500' | '600' | '700'): ErrorAnswer {
  const headers = { 'x-baseten-error-source': '04', 'x-baseten-error-code': code }
  return { ...refuse(status, { error: message }), headers }
}

function engineError(status: number, message: string, type: string, engine: BasetenEngine): ErrorAnswer {
  const error = { code: status, message, type }
  return refuse(status, engine === 'a' ? { error } : error)
}

/** An error in the form of Baseten's specification. */
function withCode(status: number, message: string): ErrorAnswer {
  const code = codes.get(status) ?? (status < 500 ? 'client_error' : 'internal_baseten_error')
  return refuse(status, { error: message, error_code: code, detail: message })
}

const codes: ReadonlyMap<number, string> = new Map([
  [401, 'unauthorized'],
  [404, 'model_does_not_exist'],
  [413, 'payload_too_large'],
  [429, 'rate_limited'],
  [502, 'application_error'],
  [503, 'model_unavailable'],
  [504, 'timeout'],
  [529, 'model_unavailable'],
])

function refuse(status: number, body: object): ErrorAnswer {
  return { status, headers: {}, body: JSON.stringify(body) }
}
