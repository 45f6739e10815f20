import pino, { type DestinationStream, type Logger } from 'pino'
import type { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Names } from '../core/names.ts'
import type { Sink } from '../core/ports.ts'
import type { Price } from '../core/price.ts'
import type { AttemptRecord, CallRecord } from '../core/record.ts'
import type { Baseline } from '../core/spending.ts'

/** A logger of JSON lines. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, timestamp: isoTimes() }, destination)
}

/**
 * Writes each call's record as one line: an allow-list of ids, counts and durations, and no text of anyone's. `log` is
 * made by `createLog`; where its level changes, this follows.
 */
export function createLogSink(log: Logger): Sink {
  const lines = inOnePiece(log)
  return {
    write(record) {
      const level = levelOf(record)
      if (lines.isLevelEnabled(level)) lines[level](lineOf(record), 'call')
    },
  }
}

/** The time as pino tells it. Lines come many at once: it is spelled out for the first of each millisecond. */
function isoTimes(): () => string {
  let toldMs = Number.NaN
  let told = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== toldMs) told = `,"time":"${new Date(nowMs).toISOString()}"`
    toldMs = nowMs
    return told
  }
}

/**
 * The same logger, whose lines are pino's to the byte. pino puts a line together member by member: for one as long as
 * a call's that takes twice as long, and three times the memory, of having V8 write all of it at once.
 */
function inOnePiece(log: Logger): Logger {
  return Object.assign(log.child({}), {
    [pino.symbols.asJsonSym]: (line: object, message: string, level: number, time: string) =>
      `{"level":${level}${time},${JSON.stringify(line).slice(1, -1)},"msg":"${message}"}\n`,
  })
}

function levelOf({ status, outcome }: CallRecord): 'info' | 'warn' | 'error' {
  if (outcome === 'left' || status < 500) return 'info'
  return status === 500 ? 'error' : 'warn'
}

/**
 * What is not there is undefined, and left out of the JSON: a line is written for every call, and read by people. Its
 * members are always the same, and in this order. The money is enough to work out the cost and the saving anew from
 * the line alone.
 */
function lineOf(record: CallRecord): JsonObject {
  const { failure, model, firstTokenMs, backoffMs, usage, costNanoUsd, baseline } = record
  // A call that was planned says what it cost, null where that is not known.
  const isPlanned = costNanoUsd !== undefined || baseline !== undefined
  return {
    requestId: record.id,
    dialect: record.dialect,
    principal: record.principal,
    model: model && clip(model),
    kind: record.kind,
    stream: record.stream,
    deployment: record.deployment,
    provider: record.provider,
    status: record.status,
    outcome: record.outcome,
    failure: failure && failureOf(failure),
    parts: record.parts > 1 ? record.parts : undefined,
    attempts: record.attempts.map(attemptOf),
    parseMs: round(record.parseMs),
    firstTokenMs: firstTokenMs && round(firstTokenMs),
    backoffMs: backoffMs > 0 ? round(backoffMs) : undefined,
    totalMs: round(record.totalMs),
    overheadMs: round(record.overheadMs),
    promptTokens: usage?.prompt_tokens,
    completionTokens: usage?.completion_tokens,
    usageEstimated: usage && record.usageEstimated,
    cache: record.cache,
    costNanoUsd: isPlanned ? (costNanoUsd ?? null) : undefined,
    costEstimated: isPlanned ? record.costEstimated : undefined,
    baseline: baseline && baselineOf(baseline),
    baselineNanoUsd: isPlanned ? record.baselineNanoUsd : undefined,
    savedNanoUsd: isPlanned ? record.savedNanoUsd : undefined,
    slow: record.slow,
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
    dropped: namesIn(record.dropped),
    converted: namesIn(record.converted),
    flags: namesIn(record.flags),
  }
}

function namesIn(names: Names): readonly string[] | undefined {
  return names.size > 0 ? [...names] : undefined
}

function baselineOf({ deployment, price, workedMs }: Baseline): JsonObject {
  return { deployment, price: isKnown(price) ? price : undefined, workedMs }
}

/** Members that are undefined are left out of the JSON: one must be there for it to say anything. */
function isKnown(price: Price): boolean {
  // Asked twice for every line: a list of the amounts would be made each time.
  for (const name in price) if (price[name as keyof Price] !== undefined) return true
  return false
}

function attemptOf(attempt: AttemptRecord): JsonObject {
  const { part, queuedMs, headersMs, firstTokenMs, price } = attempt
  return {
    deployment: attempt.deployment,
    outcome: attempt.outcome,
    part: part > 0 ? part : undefined,
    startMs: round(attempt.startMs),
    queuedMs: queuedMs && round(queuedMs),
    headersMs: headersMs && round(headersMs),
    firstTokenMs: firstTokenMs && round(firstTokenMs),
    totalMs: round(attempt.totalMs),
    upstreamStatus: attempt.upstreamStatus,
    upstreamRequestId: attempt.upstreamRequestId,
    delivered: ifTrue(attempt.isDelivered),
    resumed: ifTrue(attempt.isResumed),
    uncertain: ifTrue(attempt.isUncertain),
    costNanoUsd: attempt.costNanoUsd,
    price: isKnown(price) ? price : undefined,
    // As it was charged by: rounded, it would come to something else.
    used: attempt.used,
    usageEstimated: ifTrue(attempt.isEstimated),
  }
}

function ifTrue(flag: boolean): true | undefined {
  return flag || undefined
}

/** The kind and code, never the message: an upstream's words may repeat a prompt. */
function failureOf({ kind, code, param, upstreamStatus, operatorNote, cause }: Failure): JsonObject {
  // A bug's stack is the gateway's own; an upstream's error has a code that says enough.
  const stack = kind === 'internal' && cause instanceof Error ? framesOf(cause) : undefined
  return { kind, code, param, upstreamStatus, operatorNote, stack, causeCode: codeOf(cause) }
}

/** Of a system's error or a library's; whatever else goes by that name is none. */
function codeOf(cause: unknown): string | number | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  const { code } = cause
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}

/** Where a bug is, without its message, which may quote a body. */
function framesOf({ name, stack }: Error): string {
  const at = stack?.indexOf('\n    at ') ?? -1
  return at === -1 ? name : name + stack?.slice(at)
}

function clip(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name
}

/** Hundredths of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
