import type { FinishReason } from './call.ts'
import { Failure } from './failure.ts'
import { isObject } from './json/json.ts'
import type { Kind } from './terms.ts'

/** What an upstream's word on why a choice ended comes to: null while it goes on. */
export type ReadReason = FinishReason | null | UnknownReason

/** An unknown reason, as the upstream said it. It alone proves nothing. */
export type UnknownReason = { readonly unknown: string }

/**
 * An upstream's finish reason in OpenAI's words. What says "filtered" in some way is `content_filter`, what says "too
 * long" is `length`. Throws `interrupted` for words that mean the upstream gave up.
 */
export function readFinishReason(value: unknown, kind: Kind, usesTools: boolean): ReadReason {
  const said = saidIn(value).slice(0, keptCharacters)
  const word = plainWord(said)
  if (goingOn.has(word)) return null
  const known = reasons.get(word) ?? meaningOf(word)
  if (known === 'failed') {
    throw new Failure('interrupted', 'The upstream gave up on the answer before it was complete.')
  }
  return known === undefined ? { unknown: said } : reasonFor(known, kind, usesTools)
}

/** The reason as a choice of that kind may have it: `function_call` is what some upstreams still say of tool calls. */
export function reasonFor(reason: FinishReason, kind: Kind, usesTools: boolean): FinishReason {
  if (kind === 'text') return reason === 'tool_calls' || reason === 'function_call' ? 'stop' : reason
  return usesTools && (reason === 'stop' || reason === 'function_call') ? 'tool_calls' : reason
}

/** Longer than any reason there is. */
const keptCharacters = 64

/** SGLang's own API says it in an object. */
function saidIn(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value.trim()
  return isObject(value) && typeof value['type'] === 'string' ? value['type'].trim() : JSON.stringify(value)
}

/** In lower case, its parts joined in one way, and without the name of an enumeration before it. */
function plainWord(said: string): string {
  return said
    .toLowerCase()
    .replace(/[\s.-]+/g, '_')
    .replace(/^(?:finish|stop)_?reason_/, '')
}

/** Some say it with a word that the choice goes on. */
const goingOn: ReadonlySet<string> = new Set([
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

/** A word that is not in the table may still say outright what it means. The first that fits counts. */
function meaningOf(word: string): FinishReason | 'failed' | undefined {
  return meanings.find(([pattern]) => pattern.test(word))?.[1]
}

const meanings: readonly (readonly [RegExp, FinishReason | 'failed'])[] = [
  [/rate_?limit|quota|incomplete|unfinished/, 'failed'],
  [/filter|safety|sensitiv|refus|moderat|block|prohibit|recitation|censor|guardrail|toxic/, 'content_filter'],
  [/policy|violation|spii|harmful|risk_control|model_armor/, 'content_filter'],
  [/length|max_?(?:\w+_)?tokens?|token_?limit|context_?window|too_?long|truncat|error_limit/, 'length'],
  [/error|fail|abort|cancel|time_?d?_?out|insufficient|unavailable|overload|interrupt/, 'failed'],
  [/crash|malformed|exception|disconnect|exhausted|preempt|killed|evict|shut_?down|network/, 'failed'],
]
