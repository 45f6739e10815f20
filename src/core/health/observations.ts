import type { Clock } from '../model/ports.ts'

/**
 * The recent success rate and speed of one deployment: exponentially decayed sums with a half-life. Constant memory.
 */
export interface Observations {
  note(seen: Observation): void
  /** The success rate. It starts at 1 with the weight of one answer, and returns to 1 as failures decay. */
  successRate(): number
  /** Undefined until measured, and again when the measurement is too old. */
  firstTokenMs(): number | undefined
  /** The 95th percentile of recent first-token times; undefined until there are enough. */
  slowFirstTokenMs(): number | undefined
  /** The same for the duration of whole answers. */
  slowAnswerMs(): number | undefined
  /** After the first token; for whole answers, over all their time. Undefined as for `firstTokenMs`. */
  tokensPerSecond(): number | undefined
  /** The last known duration of answers, however old; undefined: there never was one. */
  pace(): Pace | undefined
  /** Forgets the failures, because their cause is gone. */
  recover(): void
  /** It answered recently. */
  isFresh(): boolean
}

/** The duration of answers: their cost where time is billed. */
export type Pace = {
  /** Undefined if every answer came as a whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined if their tokens were not counted. */
  readonly tokensPerSecond: number | undefined
  /** From start to end, regardless of length. */
  readonly answerMs: number
  /** The part of that time that the upstream says it worked: less where calls waited or polled. */
  readonly workedShare: number
}

/** One call that counts for the deployment. */
export type Observation = {
  readonly isAnswered: boolean
  /** Undefined if the answer came as a whole: its first token was not seen. */
  readonly firstTokenMs: number | undefined
  readonly completionTokens: number | undefined
  readonly durationMs: number
  /** How long the upstream says it worked; absent: all the time. */
  readonly workedMs?: number | undefined
}

const usualHalfLifeMs = 120_000

export function createObservations(clock: Clock, halfLifeMs = usualHalfLifeMs): Observations {
  const sums: Sums = {
    ...{ calls: 0, answered: 0, answerMs: 0, workedMs: 0, firstTokens: 0, firstTokenMs: 0 },
    ...{ streams: 0, tokens: 0, tokensMs: 0 },
  }
  const firstTokens = createRecent()
  const answers = createRecent()
  let pace: Pace | undefined
  let decayedAt = clock.now()
  const decay = () => {
    const now = clock.now()
    // Below a millisecond the decay is negligible; the next call includes it.
    if (Math.abs(now - decayedAt) < 1) return
    weaken(sums, 2 ** ((decayedAt - now) / halfLifeMs))
    decayedAt = now
  }
  return {
    note({ isAnswered, firstTokenMs, completionTokens, durationMs, workedMs = durationMs }) {
      decay()
      sums.calls++
      if (!isAnswered) return
      sums.answered++
      sums.answerMs += durationMs
      sums.workedMs += workedMs
      if (firstTokenMs !== undefined) {
        sums.firstTokens++
        sums.firstTokenMs += firstTokenMs
        firstTokens.add(firstTokenMs)
      } else answers.add(durationMs)
      const tokens = (completionTokens ?? 0) - (firstTokenMs === undefined ? 0 : 1)
      const tokensMs = durationMs - (firstTokenMs ?? 0)
      if (tokens > 0 && tokensMs > 0) {
        sums.streams++
        sums.tokens += tokens
        sums.tokensMs += tokensMs
      }
      pace = paceOf(sums)
    },
    successRate() {
      decay()
      return (sums.answered + 1) / (sums.calls + 1)
    },
    firstTokenMs() {
      decay()
      return sums.firstTokens < leastWeight ? undefined : sums.firstTokenMs / sums.firstTokens
    },
    slowFirstTokenMs: firstTokens.slow,
    slowAnswerMs: answers.slow,
    tokensPerSecond() {
      decay()
      return sums.streams < leastWeight ? undefined : (sums.tokens * 1000) / sums.tokensMs
    },
    pace: () => pace,
    recover() {
      sums.calls = sums.answered
    },
    isFresh() {
      decay()
      return sums.answered >= leastWeight
    },
  }
}

type Sums = {
  calls: number
  answered: number
  answerMs: number
  workedMs: number
  firstTokens: number
  firstTokenMs: number
  streams: number
  tokens: number
  tokensMs: number
}

/** Field by field: this runs for every call, and a loop over names takes several times as long. */
function weaken(sums: Sums, factor: number): void {
  sums.calls *= factor
  sums.answered *= factor
  sums.answerMs *= factor
  sums.workedMs *= factor
  sums.firstTokens *= factor
  sums.firstTokenMs *= factor
  sums.streams *= factor
  sums.tokens *= factor
  sums.tokensMs *= factor
}

/** Computed per answer: all sums decay alike, so their ratios stay the same until the next one. */
function paceOf(sums: Sums): Pace {
  const { answered, answerMs, workedMs, firstTokens, firstTokenMs, streams, tokens, tokensMs } = sums
  return {
    firstTokenMs: firstTokens < leastWeight ? undefined : firstTokenMs / firstTokens,
    tokensPerSecond: streams < leastWeight ? undefined : (tokens * 1000) / tokensMs,
    answerMs: answerMs / answered,
    workedShare: answerMs > 0 ? workedMs / answerMs : 1,
  }
}

/** Keeps the latest durations, for their 95th percentile. */
function createRecent() {
  const recent: number[] = []
  let at = 0
  return {
    add(ms: number): void {
      recent[at++ % recentCount] = ms
    },
    slow(): number | undefined {
      if (recent.length < enough) return undefined
      const inOrder = recent.toSorted((one, other) => one - other)
      return inOrder[Math.ceil(inOrder.length * 0.95) - 1]
    },
  }
}

/** How many of the latest durations are kept; enough for a 95th percentile. */
const recentCount = 100
const enough = 20

/** The weight of a measurement after five half-lives: too old to matter. */
const leastWeight = 1 / 32
