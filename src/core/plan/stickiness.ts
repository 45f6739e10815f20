import { withoutLine } from '../model/billing-line.ts'
import type { AnyCall } from '../model/call.ts'
import { isObject, spell } from '../model/json/json.ts'
import type { Clock } from '../model/ports.ts'
import type { Candidate } from './strategies/candidate.ts'

/** Remembers which deployment answered a prompt prefix: an upstream that has it cached may charge less for it. */
export interface Stickiness {
  /**
   * Moves the candidate that has the prefix cached to the front if it is healthy, charges less for cached input, and so
   * becomes cheaper than the current front; otherwise returns the order unchanged. Expected costs do not include that
   * saving. `candidates`: all of them, as the order may hold only the first places.
   */
  prefer(
    key: PrefixKey,
    ordered: readonly Candidate[],
    promptTokens: number,
    candidates?: readonly Candidate[],
  ): readonly Candidate[]
  /** Records that a call with this prefix and number of prompt tokens was answered there. */
  remember(key: PrefixKey, deploymentId: string, promptTokens: number): void
}

/** A one-way hash of a prompt's prefix, its model and its tenant. */
export type PrefixKey = number

export type StickinessSettings = {
  /** How many prefixes are remembered; the least recently used is evicted first. */
  readonly capacity: number
  /** After this time without use, an upstream has evicted the prefix too. */
  readonly idleMs: number
}

export const defaultStickiness: StickinessSettings = { capacity: 10_000, idleMs: 300_000 }

export function createStickiness(clock: Clock, settings = defaultStickiness): Stickiness {
  /** In the order of last use. */
  const seen = new Map<PrefixKey, Seen>()
  const find = (key: PrefixKey) => {
    const found = seen.get(key)
    if (found === undefined || clock.now() - found.at <= settings.idleMs) return found
    seen.delete(key)
    return undefined
  }
  return {
    prefer(key, ordered, promptTokens, candidates = ordered) {
      const found = find(key)
      const [front] = ordered
      if (found === undefined || front === undefined || front.id === found.deploymentId) {
        return ordered
      }
      const sticky = candidates.find(({ id }) => id === found.deploymentId)
      if (sticky === undefined || !isWell(sticky)) return ordered
      const cachedTokens = Math.min(promptTokens, found.promptTokens)
      if (!isCheaper(sticky, front, cachedTokens)) return ordered
      return [sticky, ...ordered.filter((candidate) => candidate !== sticky)]
    },
    remember(key, deploymentId, promptTokens) {
      seen.delete(key)
      seen.set(key, { deploymentId, promptTokens, at: clock.now() })
      if (seen.size <= settings.capacity) return
      for (const oldest of seen.keys()) {
        seen.delete(oldest)
        return
      }
    },
  }
}

/**
 * The key of a call. For a chat it stays the same over all turns, for a text as long as its beginning stays the same.
 * `tenant` separates tenants: they share no cache.
 */
export function prefixKeyOf(call: AnyCall, tenant: string | undefined): PrefixKey {
  const hash = createHash()
  hash.add(tenant ?? '')
  hash.add(call.model)
  if (call.kind === 'chat') addMessages(call.body.value['messages'], hash)
  else addBeginning(call.body.value['prompt'], hash)
  return hash.value()
}

type Seen = { readonly deploymentId: string; readonly promptTokens: number; readonly at: number }

/** A deployment that is drained (weight 0), unhealthy or rate limited gets no more calls than its strategy gives it. */
function isWell({ weight, standing }: Candidate): boolean {
  return weight > 0 && standing.breaker === 'closed' && standing.share === 1
}

function isCheaper(sticky: Candidate, front: Candidate, cachedTokens: number): boolean {
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = sticky.deployment.price
  if (input === undefined || cachedInput === undefined || cachedInput >= input) return false
  if (sticky.expectedNanoUsd === undefined || front.expectedNanoUsd === undefined) return false
  const savedNanoUsd = (cachedTokens * (input - cachedInput)) / 1_000_000
  return sticky.expectedNanoUsd - savedNanoUsd < front.expectedNanoUsd
}

/** The head, tail and length of each piece of a prompt are hashed, for a limited number of pieces per prompt. */
const headCharacters = 128
const tailCharacters = 32
const mostPieces = 32

/** The head of a growing text that is taken as its prefix. */
const prefixCharacters = 1024

interface Hash {
  add(text: string): void
  value(): PrefixKey
}

/** Two FNV-1a sums side by side, 53 bits. Not for security: a collision only misdirects a preference. */
function createHash(): Hash {
  let left = 0x811c9dc5
  let right = 0x9e3779b9
  let pieces = 0
  const mix = (text: string, from: number, to: number) => {
    // Local variables: fields of the closure would be written back in every iteration.
    let one = left
    let other = right
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at)
      one = Math.imul(one ^ code, leftPrime)
      other = Math.imul(other ^ code, rightPrime)
    }
    left = one
    right = other
  }
  return {
    add(text) {
      if (++pieces > mostPieces) return
      const { length } = text
      const headEnd = Math.min(length, headCharacters)
      mix(text, 0, headEnd)
      mix(text, Math.max(headEnd, length - tailCharacters), length)
      // The length is hashed too: `ab` and `c` are not `a` and `bc`.
      left = Math.imul(left ^ length, leftPrime)
      right = Math.imul(right ^ length, rightPrime)
    },
    value: () => (left >>> 0) * 0x20_0000 + (right >>> 11),
  }
}

const leftPrime = 0x01000193
const rightPrime = 0x85ebca6b

/** Up to the caller's first turn: later messages differ with every call. */
function addMessages(messages: unknown, hash: Hash): void {
  if (!Array.isArray(messages)) return
  for (const message of messages) {
    if (!isObject(message)) continue
    const { role, content } = message
    hash.add(typeof role === 'string' ? role : '')
    addContent(content, hash)
    if (role === 'user') return
  }
}

/**
 * Only the head: a text grows at its end, and its length would change the hash each time. Of several texts, the first.
 */
function addBeginning(prompt: unknown, hash: Hash): void {
  const first: unknown = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt[0] : prompt
  const text = Array.isArray(first) ? first.slice(0, prefixCharacters).map(spell).join(' ') : first
  if (typeof text === 'string') hash.add(text.slice(0, prefixCharacters))
}

function addContent(content: unknown, hash: Hash): void {
  // Fields that change with every call are not part of the prefix.
  if (typeof content === 'string') hash.add(withoutLine(content) ?? content)
  else if (Array.isArray(content)) for (const part of content) addContent(part, hash)
  else if (isObject(content)) addContent(content['text'], hash)
}
