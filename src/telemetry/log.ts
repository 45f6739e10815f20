import pino, { type DestinationStream, type Logger } from 'pino'
import type { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Sink } from '../core/ports.ts'
import type { Price } from '../core/price.ts'
import type { AttemptRecord, CallRecord } from '../core/record.ts'
import type { Baseline } from '../core/spending.ts'

/** A logger of JSON lines. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}

/** Writes each call's record as one line: an allow-list of ids, counts and durations, and no text of anyone's. */
export function createLogSink(log: Logger): Sink {
  return {
    write(record) {
      const level = levelOf(record)
      if (log.isLevelEnabled(level)) log[level](lineOf(record), 'call')
    },
  }
}

function levelOf({ status, outcome }: CallRecord): 'info' | 'warn' | 'error' {
  if (outcome === 'left' || status < 500) return 'info'
  return status === 500 ? 'error' : 'warn'
}

/** What is not there is left out: a line is written for every call, and read by people. */
function lineOf(record: CallRecord): JsonObject {
  const { failure, usage } = record
  const line: JsonObject = { requestId: record.id, dialect: record.dialect }
  if (record.principal !== undefined) line['principal'] = record.principal
  if (record.model !== undefined) line['model'] = clip(record.model)
  if (record.kind !== undefined) line['kind'] = record.kind
  line['stream'] = record.stream
  if (record.deployment !== undefined) line['deployment'] = record.deployment
  if (record.provider !== undefined) line['provider'] = record.provider
  line['status'] = record.status
  line['outcome'] = record.outcome
  if (failure !== undefined) line['failure'] = failureOf(failure)
  if (record.parts > 1) line['parts'] = record.parts
  line['attempts'] = record.attempts.map(attemptOf)
  line['parseMs'] = round(record.parseMs)
  if (record.firstTokenMs !== undefined) line['firstTokenMs'] = round(record.firstTokenMs)
  if (record.backoffMs > 0) line['backoffMs'] = round(record.backoffMs)
  line['totalMs'] = round(record.totalMs)
  line['overheadMs'] = round(record.overheadMs)
  if (usage !== undefined) {
    line['promptTokens'] = usage.prompt_tokens
    line['completionTokens'] = usage.completion_tokens
    line['usageEstimated'] = record.usageEstimated
  }
  noteMoney(line, record)
  line['slow'] = record.slow
  line['requestBytes'] = record.requestBytes
  line['responseBytes'] = record.responseBytes
  if (record.dropped.size > 0) line['dropped'] = [...record.dropped]
  if (record.converted.size > 0) line['converted'] = [...record.converted]
  if (record.flags.size > 0) line['flags'] = [...record.flags]
  return line
}

/**
 * Enough to work out the cost and the saving anew from the line alone. A call that was planned says what it cost,
 * null where that is not known.
 */
function noteMoney(line: JsonObject, record: CallRecord): void {
  const { costNanoUsd, baseline, baselineNanoUsd, savedNanoUsd, cache } = record
  if (cache !== undefined) line['cache'] = cache
  if (costNanoUsd === undefined && baseline === undefined) return
  line['costNanoUsd'] = costNanoUsd ?? null
  line['costEstimated'] = record.costEstimated
  if (baseline !== undefined) line['baseline'] = baselineOf(baseline)
  if (baselineNanoUsd !== undefined) line['baselineNanoUsd'] = baselineNanoUsd
  if (savedNanoUsd !== undefined) line['savedNanoUsd'] = savedNanoUsd
}

function baselineOf({ deployment, price, workedMs }: Baseline): JsonObject {
  const entry: JsonObject = { deployment }
  if (isKnown(price)) entry['price'] = price
  if (workedMs !== undefined) entry['workedMs'] = workedMs
  return entry
}

/** Members that are undefined are left out of the JSON: one must be there for it to say anything. */
function isKnown(price: Price): boolean {
  return Object.values(price).some((amount) => amount !== undefined)
}

function attemptOf(attempt: AttemptRecord): JsonObject {
  const entry: JsonObject = { deployment: attempt.deployment, outcome: attempt.outcome }
  if (attempt.part > 0) entry['part'] = attempt.part
  entry['startMs'] = round(attempt.startMs)
  if (attempt.queuedMs !== undefined) entry['queuedMs'] = round(attempt.queuedMs)
  if (attempt.headersMs !== undefined) entry['headersMs'] = round(attempt.headersMs)
  if (attempt.firstTokenMs !== undefined) entry['firstTokenMs'] = round(attempt.firstTokenMs)
  entry['totalMs'] = round(attempt.totalMs)
  if (attempt.upstreamStatus !== undefined) entry['upstreamStatus'] = attempt.upstreamStatus
  if (attempt.upstreamRequestId !== undefined) entry['upstreamRequestId'] = attempt.upstreamRequestId
  if (attempt.isDelivered) entry['delivered'] = true
  if (attempt.isResumed) entry['resumed'] = true
  if (attempt.isUncertain) entry['uncertain'] = true
  if (attempt.costNanoUsd !== undefined) entry['costNanoUsd'] = attempt.costNanoUsd
  if (isKnown(attempt.price)) entry['price'] = attempt.price
  // As it was charged by: rounded, it would come to something else.
  if (attempt.used !== undefined) entry['used'] = attempt.used
  if (attempt.isEstimated) entry['usageEstimated'] = true
  return entry
}

/** The kind and code, never the message: an upstream's words may repeat a prompt. */
function failureOf(failure: Failure): JsonObject {
  const { cause } = failure
  return {
    kind: failure.kind,
    code: failure.code,
    param: failure.param,
    upstreamStatus: failure.upstreamStatus,
    operatorNote: failure.operatorNote,
    // A bug's stack is the gateway's own; an upstream's error has a code that says enough.
    ...(failure.kind === 'internal' && cause instanceof Error ? { stack: framesOf(cause) } : {}),
    ...(cause instanceof Error && 'code' in cause ? { causeCode: cause.code } : {}),
  }
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
