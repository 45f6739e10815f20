import type Anthropic from '@anthropic-ai/sdk'
import type { Failure } from '../../core/model/failure.ts'

/** An error in Anthropic's format. The SDK's own types do not list every error type. */
export type AnthropicError = {
  readonly type: Anthropic.ErrorResponse['type']
  readonly error: { readonly type: string; readonly message: string; readonly [extra: string]: unknown }
  readonly request_id: string | null
}

/** The error in Anthropic's format. The status decides its type. */
export function anthropicError(
  { kind, status, message, extra }: Failure,
  requestId?: string,
): AnthropicError {
  // Agents shorten the conversation if they find these words.
  const text = kind === 'context_length' ? `prompt is too long: ${message}` : message
  return {
    type: 'error',
    error: { ...extra, type: typeOf(status), message: text },
    request_id: requestId ?? null,
  }
}

function typeOf(status: number): string {
  return types.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

const types: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
])
