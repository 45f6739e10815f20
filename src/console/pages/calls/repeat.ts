import { session } from '../../app/session.ts'
import type { WholeCall } from './call-types.ts'

/** A command that makes a similar call. Its text is not stored, so a placeholder replaces it. */
export function commandOf({ model, api_type: type, streamed, dialect }: WholeCall): string {
  const text = 'The text of the call is not kept.'
  const messages = [{ role: 'user', content: text }]
  const stream = streamed ? { stream: true } : {}
  const isAnthropic = dialect === 'messages' || dialect === 'anthropic'
  const [path, body] = isAnthropic
    ? ['/v1/messages', { model, max_tokens: 256, messages, ...stream }]
    : type === 'completions'
      ? ['/v1/completions', { model, prompt: text, ...stream }]
      : type === 'embeddings'
        ? ['/v1/embeddings', { model, input: text }]
        : ['/v1/chat/completions', { model, messages, ...stream }]
  return [
    `curl ${streamed ? '-N ' : ''}${location.origin}${path} -H 'Content-Type: application/json'`,
    ...(session.value?.calls_need_key === true ? ['  -H "Authorization: Bearer $GATEWAY_KEY"'] : []),
    `  -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`,
  ].join(' \\\n')
}

/** The gateway's headers of the answer. */
export function headersOf(call: WholeCall): readonly (readonly [string, string])[] {
  const { deployment, provider_name: provider, cost_usd: cost, cache, limit, dropped, successor } = call
  const given: readonly (readonly [string, string | number | null | undefined])[] = [
    ['x-request-id', call.id],
    ['x-pandotate-attempts', call.attempts.length],
    ['x-pandotate-provider', provider],
    ['x-pandotate-deployment', deployment],
    ['x-pandotate-successor', successor],
    ['x-pandotate-upstream-model', call.upstream_model],
    // The headers of a stream are sent before its cost is known.
    ['x-pandotate-cost-usd', call.streamed ? undefined : cost],
    ['x-pandotate-overhead-ms', call.overhead_ms],
    ['x-pandotate-cache', cache],
    ['x-pandotate-limit', limit],
    ['x-pandotate-dropped-params', dropped?.join(', ')],
  ]
  return given.flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as const],
  )
}
