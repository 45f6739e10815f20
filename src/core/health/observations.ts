import type { Clock } from '../model/ports.ts'

/**
 * How well and how fast one deployment has been answering: sums in which what was seen counts half after every
 * half-life. Takes the same little room however much was seen.
 */
export interface Observations {
  note(seen: Observation): void
  /**
   * Of the calls that were its to answer, the part it answered. One answer is taken for granted: without calls it
   * is 1, and it goes back there as they are forgotten.
   */
  successRate(): number
  /** Undefined until it was measured, and again when that is long ago. */
  firstTokenMs(): number | undefined
  /** What one in twenty of the last calls took longer than; undefined until there were enough. */
  slowFirstTokenMs(): number | undefined
  /** After the first token; for answers that came whole, over all the time they took. Undefined as above. */
  tokensPerSecond(): number | undefined
  /** What answers took when there last was one, however long ago; undefined: there never was. */
  pace(): Pace | undefined
  /** It is over with what made it fail: the failures are forgotten. */
  recover(): void
  /** There was an answer recently. */
  isFresh(): boolean
}

/** How long answers take: what it costs where time is paid for. */
export type Pace = {
  /** Undefined where every answer came whole. */
  readonly firstTokenMs: number | undefined
  /** Undefined where their tokens were not counted. */
  readonly tokensPerSecond: number | undefined
  /** From the beginning to the end, whatever their length. */
  readonly answerMs: number
  /** Of that time, what the upstream said it worked: less where it was waited for, or asked again and again. */
  readonly workedShare: number
}

/** One call that was the deployment's to answer. */
export type Observation = {
  readonly isAnswered: boolean
  /** Undefined where the answer came whole: how long its first token took is not known. */
  readonly firstTokenMs: number | undefined
  readonly completionTokens: number | undefined
  readonly durationMs: number
  /** How long the upstream says it worked; left out: all the time. */
  readonly workedMs?: number | undefined
}

const usualHalfLifeMs = 120_000

export function createObservations(clock: Clock, halfLifeMs = usualHalfLifeMs): Observations {
  const sums: Sums = {
    ...{ calls: 0, answered: 0, answerMs: 0, workedMs: 0, firstTokens: 0, firstTokenMs: 0 },
    ...{ streams: 0, tokens: 0, tokensMs: 0 },
  }
  const recent: number[] = []
  let at = 0
  let pace: Pace | undefined
  let decayedAt = clock.now()
  const decay = () => {
    const now = clock.now()
    // Of less than a millisecond next to nothing is forgotten, and what is not forgotten now is with the next.
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
        recent[at++ % recentCount] = firstTokenMs
      }
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
    slowFirstTokenMs() {
      if (recent.length < enough) return undefined
      const inOrder = recent.toSorted((one, other) => one - other)
      return inOrder[Math.ceil(inOrder.length * 0.95) - 1]
    },
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

/** Name by name: it is done for every call, and by a list of names takes several times as long. */
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

/** To be read as an answer came: as all sums decay alike, what they are to each other stays until the next. */
function paceOf(sums: Sums): Pace {
  const { answered, answerMs, workedMs, firstTokens, firstTokenMs, streams, tokens, tokensMs } = sums
  return {
    firstTokenMs: firstTokens < leastWeight ? undefined : firstTokenMs / firstTokens,
    tokensPerSecond: streams < leastWeight ? undefined : (tokens * 1000) / tokensMs,
    answerMs: answerMs / answered,
    workedShare: answerMs > 0 ? workedMs / answerMs : 1,
  }
}

/** So many of the last first tokens are remembered one by one, and of so many a twentieth means something. */
const recentCount = 100
const enough = 20

/** What is left of one measurement after five half-lives: by then it says nothing of today. */
const leastWeight = 1 / 32
