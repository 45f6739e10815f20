import type { FinishReason, Kind } from './call.ts'
import { Failure } from './failure.ts'
import type { LazySet } from './lazy-set.ts'

/**
 * An upstream's finish reason in OpenAI's words; null while the choice goes on. An unknown word counts as
 * `stop` and is flagged `finish_reason_unknown`. Throws `interrupted` for words that mean the upstream gave up.
 */
export function finishReasonOf(
  value: unknown,
  kind: Kind,
  usesTools: boolean,
  flags: Pick<LazySet, 'add'>,
): FinishReason | null {
  if (value === undefined || value === null || value === '') return null
  const word = typeof value === 'string' ? value.toLowerCase() : ''
  if (gaveUp.has(word)) {
    throw new Failure('interrupted', 'The upstream gave up on the answer before it was complete.')
  }
  const known = reasons.get(word)
  if (known === undefined) flags.add('finish_reason_unknown')
  const reason = known ?? 'stop'
  if (kind === 'text') return reason === 'tool_calls' || reason === 'function_call' ? 'stop' : reason
  // `function_call` is what some upstreams still say of tool calls.
  return usesTools && (reason === 'stop' || reason === 'function_call') ? 'tool_calls' : reason
}

const gaveUp: ReadonlySet<string> = new Set(['abort', 'aborted', 'error', 'cancelled', 'canceled'])

const reasons: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['eos', 'stop'],
  ['eos_token', 'stop'],
  ['end', 'stop'],
  ['end_turn', 'stop'],
  ['done', 'stop'],
  ['complete', 'stop'],
  ['completed', 'stop'],
  ['stop_sequence', 'stop'],
  ['load', 'stop'],
  ['unload', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['max_length', 'length'],
  ['limit', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'function_call'],
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  ['refusal', 'content_filter'],
])
