import type { FinishReason } from './call.ts'
import { Failure } from './failure.ts'
import { isObject } from './json/json.ts'
import type { Kind } from './terms.ts'

/** The meaning of an upstream's finish reason; null while the choice continues. */
export type ReadReason = FinishReason | null | UnknownReason

/** An unknown reason in the upstream's spelling. It alone proves nothing. */
export type UnknownReason = { readonly unknown: string }

/**
 * Translates an upstream's finish reason to OpenAI's. Any form of "filtered" is `content_filter`, any form of "too
 * long" is `length`. Throws `interrupted` for reasons that mean the upstream gave up.
 */
export function readFinishReason(value: unknown, kind: Kind, usesTools: boolean): ReadReason {
  const written = textOfReason(value).slice(0, keptCharacters)
  const key = normalized(written)
  if (unfinished.has(key)) return null
  const known = reasons.get(key) ?? meaningOf(key)
  if (known === 'failed') {
    throw new Failure('interrupted', 'The upstream stopped the answer before it was complete.')
  }
  return known === undefined ? { unknown: written } : reasonFor(known, kind, usesTools)
}

/** The reason in a choice of that kind: some upstreams still say `function_call` for tool calls. */
export function reasonFor(reason: FinishReason, kind: Kind, usesTools: boolean): FinishReason {
  if (kind === 'text') return reason === 'tool_calls' || reason === 'function_call' ? 'stop' : reason
  return usesTools && (reason === 'stop' || reason === 'function_call') ? 'tool_calls' : reason
}

/** Longer than any known reason, in characters. */
const keptCharacters = 64

/** SGLang's own API sends an object. */
function textOfReason(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value.trim()
  return isObject(value) && typeof value['type'] === 'string' ? value['type'].trim() : JSON.stringify(value)
}

/** In lower case, with uniform separators, and without an enum's name in front. */
function normalized(written: string): string {
  return written
    .toLowerCase()
    .replace(/[\s.-]+/g, '_')
    .replace(/^(?:finish|stop)_?reason_/, '')
}

/** Words that some upstreams use for "not finished". */
const unfinished: ReadonlySet<string> = new Set([
  ...['', 'null', 'none', 'unspecified', 'not_finished', 'in_progress', 'continue'],
])

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
  ['limit', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_call', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'function_call'],
])

/** For words that are not in the table. The first match wins. */
function meaningOf(key: string): FinishReason | 'failed' | undefined {
  return meanings.find(([pattern]) => pattern.test(key))?.[1]
}

const meanings: readonly (readonly [RegExp, FinishReason | 'failed'])[] = [
  [/rate_?limit|quota|incomplete|unfinished/, 'failed'],
  [/filter|safety|sensitiv|refus|moderat|block|prohibit|recitation|censor|guardrail|toxic/, 'content_filter'],
  [/policy|violation|spii|harmful|risk_control|model_armor/, 'content_filter'],
  [/length|max_?(?:\w+_)?tokens?|token_?limit|context_?window|too_?long|truncat|error_limit/, 'length'],
  [/error|fail|abort|cancel|time_?d?_?out|insufficient|unavailable|overload|interrupt/, 'failed'],
  [/crash|malformed|exception|disconnect|exhausted|preempt|killed|evict|shut_?down|network/, 'failed'],
]
