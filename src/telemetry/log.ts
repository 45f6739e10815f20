import pino, { type DestinationStream, type Logger } from 'pino'
import type { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Sink } from '../core/ports.ts'
import type { Price } from '../core/price.ts'
import type { AttemptRecord, CallRecord } from '../core/record.ts'
import type { Baseline } from '../core/spending.ts'

/** A logger of JSON lines, and where they go. */
export type Log = Logger & { readonly destination: DestinationStream }

export function createLog(level: string, destination: DestinationStream): Log {
  return Object.assign(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination), {
    destination,
  })
}

/**
 * Writes each call's record as one line: an allow-list of ids, counts and durations, and no text of anyone's. The line
 * is as pino would have it, but put together here: it is written for every call, and this takes a third of the time.
 */
export function createLogSink(log: Log): Sink {
  const timeOf = createTimes()
  return {
    write(record) {
      const level = levelOf(record)
      if (!log.isLevelEnabled(level)) return
      const head = `{"level":${log.levels.values[level]},"time":"${timeOf(Date.now())}"`
      log.destination.write(`${head}${lineOf(record)},"msg":"call"}\n`)
    },
  }
}

/** Lines are written many at once: a moment is spelled out once for all of them. */
function createTimes(): (epochMs: number) => string {
  let spelledMs = Number.NaN
  let spelled = ''
  return (epochMs) => {
    if (epochMs !== spelledMs) {
      spelledMs = epochMs
      spelled = new Date(epochMs).toISOString()
    }
    return spelled
  }
}

function levelOf({ status, outcome }: CallRecord): 'info' | 'warn' | 'error' {
  if (outcome === 'left' || status < 500) return 'info'
  return status === 500 ? 'error' : 'warn'
}

/** The members of a line, each with a comma before it. What is not there is left out: it is read by people. */
function lineOf(record: CallRecord): string {
  const { failure, usage, principal, model, kind, deployment, provider, parts, firstTokenMs, backoffMs } =
    record
  let line = `,"requestId":${quote(record.id)},"dialect":${quote(record.dialect)}`
  if (principal !== undefined) line += `,"principal":${quote(principal)}`
  if (model !== undefined) line += `,"model":${quote(clip(model))}`
  if (kind !== undefined) line += `,"kind":"${kind}"`
  line += `,"stream":${record.stream}`
  if (deployment !== undefined) line += `,"deployment":${quote(deployment)}`
  if (provider !== undefined) line += `,"provider":${quote(provider)}`
  line += `,"status":${record.status},"outcome":"${record.outcome}"`
  if (failure !== undefined) line += `,"failure":${JSON.stringify(failureOf(failure))}`
  if (parts > 1) line += `,"parts":${parts}`
  line += `,"attempts":[${record.attempts.map(attemptOf).join(',')}],"parseMs":${round(record.parseMs)}`
  if (firstTokenMs !== undefined) line += `,"firstTokenMs":${round(firstTokenMs)}`
  if (backoffMs > 0) line += `,"backoffMs":${round(backoffMs)}`
  line += `,"totalMs":${round(record.totalMs)},"overheadMs":${round(record.overheadMs)}`
  if (usage !== undefined) {
    const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage
    line += `,"promptTokens":${promptTokens},"completionTokens":${completionTokens}`
    line += `,"usageEstimated":${record.usageEstimated}`
  }
  line += moneyOf(record)
  line += `,"slow":${record.slow},"requestBytes":${record.requestBytes},"responseBytes":${record.responseBytes}`
  return (
    line +
    namesOf('dropped', record.dropped) +
    namesOf('converted', record.converted) +
    namesOf('flags', record.flags)
  )
}

function namesOf(member: string, names: ReadonlySet<string>): string {
  return names.size === 0 ? '' : `,"${member}":${JSON.stringify([...names])}`
}

/**
 * Enough to work out the cost and the saving anew from the line alone. A call that was planned says what it cost,
 * null where that is not known.
 */
function moneyOf(record: CallRecord): string {
  const { costNanoUsd, baseline, baselineNanoUsd, savedNanoUsd, cache } = record
  let money = cache === undefined ? '' : `,"cache":"${cache}"`
  if (costNanoUsd === undefined && baseline === undefined) return money
  money += `,"costNanoUsd":${costNanoUsd ?? null},"costEstimated":${record.costEstimated}`
  if (baseline !== undefined) money += `,"baseline":${baselineOf(baseline)}`
  if (baselineNanoUsd !== undefined) money += `,"baselineNanoUsd":${baselineNanoUsd}`
  if (savedNanoUsd !== undefined) money += `,"savedNanoUsd":${savedNanoUsd}`
  return money
}

function baselineOf({ deployment, price, workedMs }: Baseline): string {
  const worked = workedMs === undefined ? '' : `,"workedMs":${workedMs}`
  return `{"deployment":${quote(deployment)}${priceOf(price)}${worked}}`
}

/** Nothing where none of its members is known: those are left out. */
function priceOf(price: Price): string {
  const text = JSON.stringify(price)
  return text === '{}' ? '' : `,"price":${text}`
}

function attemptOf(attempt: AttemptRecord): string {
  const { part, queuedMs, headersMs, firstTokenMs, upstreamStatus, upstreamRequestId, costNanoUsd, used } =
    attempt
  let entry = `{"deployment":${quote(attempt.deployment)},"outcome":"${attempt.outcome}"`
  if (part > 0) entry += `,"part":${part}`
  entry += `,"startMs":${round(attempt.startMs)}`
  if (queuedMs !== undefined) entry += `,"queuedMs":${round(queuedMs)}`
  if (headersMs !== undefined) entry += `,"headersMs":${round(headersMs)}`
  if (firstTokenMs !== undefined) entry += `,"firstTokenMs":${round(firstTokenMs)}`
  entry += `,"totalMs":${round(attempt.totalMs)}`
  if (upstreamStatus !== undefined) entry += `,"upstreamStatus":${upstreamStatus}`
  if (upstreamRequestId !== undefined) entry += `,"upstreamRequestId":${quote(upstreamRequestId)}`
  if (attempt.isDelivered) entry += ',"delivered":true'
  if (attempt.isResumed) entry += ',"resumed":true'
  if (attempt.isUncertain) entry += ',"uncertain":true'
  if (costNanoUsd !== undefined) entry += `,"costNanoUsd":${costNanoUsd}`
  entry += priceOf(attempt.price)
  // As it was charged by: rounded, it would come to something else.
  if (used !== undefined) entry += `,"used":${JSON.stringify(used)}`
  if (attempt.isEstimated) entry += ',"usageEstimated":true'
  return `${entry}}`
}

/** A text as JSON has it. Nearly every one is a name that holds nothing to escape. */
function quote(text: string): string {
  return isPlain.test(text) ? `"${text}"` : JSON.stringify(text)
}

const isPlain = /^[\w.:/@* -]*$/

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
