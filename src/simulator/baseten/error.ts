import type { Refusal } from '../script/script.ts'
import type { Refused } from '../server/openai-answer.ts'
import type { BasetenEngine } from './models.ts'

/** On either API. */
export const badKey: Refused = refuse(403, { error: 'please check the api-key you provided' })

/** An unknown path. */
export const noRoute: Refused = refuse(404, { error: 'Not found' })

export function unknownModel(id: string, fault: string | undefined): Refused {
  return withCode(404, fault ?? `The model ${id} does not exist or is not enabled in this workspace.`)
}

/** A body that Model APIs cannot use: reported by the model's engine, if there is one. */
export function invalidCall(message: string, engine: BasetenEngine = 'a'): Refused {
  return engineError(400, message, 'Bad Request', engine)
}

/** Errors of Model APIs: the model's engine has one of two shapes, the platform a third. */
export function sharedRefusal(step: Refusal, engine: BasetenEngine): Refused {
  const { status, error, retryAfterSeconds } = step
  if (status === 400 || status === 422) return engineError(status, error.message, 'Bad Request', engine)
  if (status === 401 || status === 403) return { ...badKey, status }
  if (status === 500) return refuse(500, { error: 'Internal Server Error' })
  const refused = withCode(status, error.message)
  return retryAfterSeconds === undefined
    ? refused
    : { ...refused, headers: { 'retry-after': String(retryAfterSeconds) } }
}

/** Errors of a deployment: from the platform, or from the Truss server inside. */
export function dedicatedRefusal(step: Refusal, model: string): Refused {
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

/** The Truss server's own: it says where the fault was. */
export function trussError(status: number, message: string, code: '500' | '600' | '700'): Refused {
  const headers = { 'x-baseten-error-source': '04', 'x-baseten-error-code': code }
  return { ...refuse(status, { error: message }), headers }
}

function engineError(status: number, message: string, type: string, engine: BasetenEngine): Refused {
  const error = { code: status, message, type }
  return refuse(status, engine === 'a' ? { error } : error)
}

/** As in the specification. */
function withCode(status: number, message: string): Refused {
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

function refuse(status: number, body: object): Refused {
  return { status, headers: {}, body: JSON.stringify(body) }
}
