import type { ErrorAnswer } from '../server/openai-answer.ts'
import type { TogetherModel } from './models.ts'

/** The limits that a 429 from Together may name. */
export const togetherLimits = [
  'rate_limit',
  'model_rate_limit',
  'dynamic_request_limited',
  'dynamic_token_limited',
  'credit_limit',
] as const

export type TogetherLimit = (typeof togetherLimits)[number]

/** Together's errors, each with its own message, status and form. */
export type TogetherErrors = {
  unauthorized(path: string): ErrorAnswer
  unknownModel(id: string, fault: string | undefined): ErrorAnswer
  absentModel(id: string, absence: NonNullable<TogetherModel['absence']>): ErrorAnswer
  tooLong(model: TogetherModel, promptTokens: number, maxTokens: number | undefined): ErrorAnswer
  invalid(message: string, param: string | null): ErrorAnswer
  notFound(path: string): ErrorAnswer
  /** The error for a script's status. */
  withStatus(status: number, details: ErrorDetails): ErrorAnswer
}

/** The details of an error for a status. */
export type ErrorDetails = {
  readonly model: string
  readonly message: string
  readonly retryAfterSeconds: number | undefined
  readonly limit: TogetherLimit
}

/** The errors for the request with this id. */
export function togetherErrors(id: string): TogetherErrors {
  const refuse = (
    status: number,
    error: Partial<Inside>,
    headers: ErrorAnswer['headers'] = {},
  ): ErrorAnswer => ({
    status,
    headers,
    body: JSON.stringify({ id, error: { message: '', type: invalid, param: null, code: null, ...error } }),
  })
  const errors: TogetherErrors = {
    unauthorized: (path) =>
      path === '/v1/models'
        ? { status: 401, headers: {}, body: '{"error":{"message":"Unauthorized"}}' }
        : refuse(401, { message: badKey, code: 'invalid_api_key' }),
    unknownModel(model, fault) {
      const rest =
        fault ?? 'Please exchange https://api.together.ai/models to view the list of supported models.'
      return refuse(404, { message: `Unable to access model ${model}. ${rest}`, code: 'model_not_available' })
    },
    absentModel(model, absence) {
      if (absence === 'endpoint stopped') {
        const message = `The dedicated endpoint for ${model} is not running. Please exchange https://api.together.ai/models to start the endpoint.`
        return refuse(400, { message, code: 'dedicated_endpoint_not_running' })
      }
      const message = `Unable to access non-serverless model ${model}. Please exchange https://api.together.ai/models/${model} to create and start a new dedicated endpoint for the model.`
      return refuse(400, { message, code: 'model_not_available' })
    },
    tooLong: (model, promptTokens, maxTokens) => refuse(400, tooLong(model, promptTokens, maxTokens)),
    invalid: (message, param) => refuse(400, { message, param }),
    notFound: (path) => refuse(404, { message: `No such route: ${path}` }),
    withStatus: (status, details) => withStatus(status, details, refuse, errors),
  }
  return errors
}

type Inside = { message: string; type: string; param: string | null; code: string | null }

type Refuse = (status: number, error: Partial<Inside>, headers?: ErrorAnswer['headers']) => ErrorAnswer

const invalid = 'invalid_request_error'
const badKey =
  'Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.'

/** Each engine has its own message. */
function tooLong(
  { engine, contextTokens }: TogetherModel,
  promptTokens: number,
  maxTokens: number | undefined,
): Partial<Inside> {
  if (engine === 'b') {
    const message = `The input (${promptTokens} tokens) is longer than the model's context length (${contextTokens} tokens).`
    return { message }
  }
  const given = `Given: ${promptTokens} \`inputs\` tokens and ${maxTokens ?? 0} \`max_new_tokens\``
  const message = `Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${contextTokens}. ${given}`
  return { message, param: 'max_tokens' }
}

function withStatus(
  status: number,
  details: ErrorDetails,
  refuse: Refuse,
  errors: TogetherErrors,
): ErrorAnswer {
  const { message, model, retryAfterSeconds = 2 } = details
  const retryAfter = { 'retry-after': `${retryAfterSeconds}` }
  switch (status) {
    case 401:
      return errors.unauthorized('')
    case 402:
      return refuse(402, { message: 'You have reached the spending limit of your account.' })
    case 403:
      return refuse(403, { message: "The input is longer than the model's context length." })
    case 404:
      return errors.unknownModel(model, undefined)
    case 429:
      return refuse(
        429,
        { type: details.limit, message: limitMessage(details) },
        { 'x-ratelimit': 'true', ...retryAfter },
      )
    case 500:
      return refuse(500, { message: 'Internal server error', type: 'server_error' })
    case 503:
      return refuse(
        503,
        { message: 'Service unavailable', type: 'service_unavailable' },
        { ...retryAfter, 'x-api-retries': '5' },
      )
    default:
      if (status < 520 || status > 530) return refuse(status, { message })
      // The edge in front of Together sends no JSON.
      return { status, headers: { 'content-type': 'text/plain' }, body: `error code: ${status}` }
  }
}

function limitMessage({ limit, model }: ErrorDetails): string {
  switch (limit) {
    case 'rate_limit':
      return 'Request was rejected due to request rate limiting. Your rate limits are 60 RPM (1 QPS) and 60000 TPM (1000 TPS). See details: https://docs.together.ai/docs/rate-limits'
    case 'model_rate_limit':
      return `You have reached the rate limit specific to this model ${model}. The maximum rate limit for this model is 10.0 queries and 60000 tokens per minute.`
    case 'dynamic_request_limited':
      return 'Requests come faster than your dynamic rate limit allows.'
    case 'dynamic_token_limited':
      return 'Tokens come faster than your dynamic rate limit allows.'
    case 'credit_limit':
      return 'You have been rate limited. Your rate limit is 60 queries per minute.'
  }
}
