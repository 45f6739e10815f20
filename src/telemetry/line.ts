import type { Failure } from '../core/model/failure.ts'
import { isObject, type JsonObject } from '../core/model/json.ts'
import type { LazySet } from '../core/model/lazy-set.ts'
import type { Consumption, Price } from '../core/model/price.ts'
import type { AttemptRecord, Baseline, CallRecord } from '../core/model/record.ts'

/**
 * A call's record as the members of a JSON object, without its braces: an allow-list of ids, counts and durations, and no
 * text of anyone's. What is not there is left out, for a line is made for every call, and read by people; its members are
 * always in this order. Durations are in hundredths of a millisecond. The money is enough to work out the cost and the
 * saving anew from the line alone.
 *
 * It is spelled out because every call pays for it: an object for `JSON.stringify` takes a third longer.
 */
export function lineOf(record: CallRecord): string {
  return choiceOf(record) + courseOf(record) + tokensOf(record) + moneyOf(record) + endOf(record)
}

function choiceOf(record: CallRecord): string {
  const { principal, model, kind, deployment, provider } = record
  let text = `"requestId":${quoted(record.id)},"dialect":${quoted(record.dialect)}`
  if (principal !== undefined) text += `,"principal":${quoted(principal)}`
  if (model !== undefined) text += `,"model":${quoted(clip(model))}`
  if (kind !== undefined) text += `,"kind":${quoted(kind)}`
  text += `,"stream":${record.stream}`
  if (deployment !== undefined) text += `,"deployment":${quoted(deployment)}`
  if (provider !== undefined) text += `,"provider":${quoted(provider)}`
  return text
}

function courseOf(record: CallRecord): string {
  const { failure, parts, firstTokenMs, backoffMs } = record
  let text = `,"status":${number(record.status)},"outcome":${quoted(record.outcome)}`
  if (failure !== undefined) text += `,"failure":${JSON.stringify(failureOf(failure))}`
  if (parts > 1) text += `,"parts":${number(parts)}`
  text += `,"attempts":[${record.attempts.map(attemptOf).join(',')}],"parseMs":${hundredths(record.parseMs)}`
  if (firstTokenMs !== undefined) text += `,"firstTokenMs":${hundredths(firstTokenMs)}`
  if (backoffMs > 0) text += `,"backoffMs":${hundredths(backoffMs)}`
  return `${text},"totalMs":${hundredths(record.totalMs)},"overheadMs":${hundredths(record.overheadMs)}`
}

function attemptOf(attempt: AttemptRecord): string {
  const { part, queuedMs, headersMs, firstTokenMs, upstreamStatus, upstreamRequestId } = attempt
  let text = `{"deployment":${quoted(attempt.deployment)},"outcome":${quoted(attempt.outcome)}`
  if (part > 0) text += `,"part":${number(part)}`
  text += `,"startMs":${hundredths(attempt.startMs)}`
  if (queuedMs !== undefined) text += `,"queuedMs":${hundredths(queuedMs)}`
  if (headersMs !== undefined) text += `,"headersMs":${hundredths(headersMs)}`
  if (firstTokenMs !== undefined) text += `,"firstTokenMs":${hundredths(firstTokenMs)}`
  text += `,"totalMs":${hundredths(attempt.totalMs)}`
  if (upstreamStatus !== undefined) text += `,"upstreamStatus":${number(upstreamStatus)}`
  if (upstreamRequestId !== undefined) text += `,"upstreamRequestId":${quoted(upstreamRequestId)}`
  if (attempt.isDelivered) text += ',"delivered":true'
  if (attempt.isResumed) text += ',"resumed":true'
  if (attempt.isUncertain) text += ',"uncertain":true'
  return `${text}${paidOf(attempt)}}`
}

function paidOf({ costNanoUsd, price, used, isEstimated }: AttemptRecord): string {
  let text = costNanoUsd === undefined ? '' : `,"costNanoUsd":${number(costNanoUsd)}`
  if (isKnown(price)) text += `,"price":${JSON.stringify(price)}`
  if (used !== undefined) text += `,"used":${usedOf(used)}`
  return isEstimated ? `${text},"usageEstimated":true` : text
}

/** As it was charged by: rounded, it would come to something else. */
function usedOf({ promptTokens, cachedTokens, completionTokens, workedMs }: Consumption): string {
  const worked = workedMs === undefined ? '' : `,"workedMs":${number(workedMs)}`
  const prompt = `"promptTokens":${number(promptTokens)},"cachedTokens":${number(cachedTokens)}`
  return `{${prompt},"completionTokens":${number(completionTokens)}${worked}}`
}

function tokensOf({ usage, usageEstimated, cache }: CallRecord): string {
  let text = ''
  if (usage !== undefined) {
    text = `,"promptTokens":${number(usage.prompt_tokens)},"completionTokens":${number(usage.completion_tokens)}`
    text += countIn(usage['prompt_tokens_details'], 'cached_tokens', ',"cachedTokens":')
    text += countIn(usage['completion_tokens_details'], 'reasoning_tokens', ',"reasoningTokens":')
    text += `,"usageEstimated":${usageEstimated}`
  }
  return cache === undefined ? text : `${text},"cache":${quoted(cache)}`
}

function countIn(details: unknown, name: string, label: string): string {
  const count = isObject(details) ? details[name] : undefined
  return typeof count === 'number' ? label + number(count) : ''
}

/** A call that was planned says what it cost, null where that is not known. */
function moneyOf({
  costNanoUsd,
  costEstimated,
  baseline,
  baselineNanoUsd,
  savedNanoUsd,
}: CallRecord): string {
  if (costNanoUsd === undefined && baseline === undefined) return ''
  let text = `,"costNanoUsd":${costNanoUsd === undefined ? 'null' : number(costNanoUsd)}`
  text += `,"costEstimated":${costEstimated}`
  if (baseline !== undefined) text += `,"baseline":${baselineOf(baseline)}`
  if (baselineNanoUsd !== undefined) text += `,"baselineNanoUsd":${number(baselineNanoUsd)}`
  if (savedNanoUsd !== undefined) text += `,"savedNanoUsd":${number(savedNanoUsd)}`
  return text
}

function baselineOf({ deployment, price, workedMs }: Baseline): string {
  let text = `{"deployment":${quoted(deployment)}`
  if (isKnown(price)) text += `,"price":${JSON.stringify(price)}`
  if (workedMs !== undefined) text += `,"workedMs":${number(workedMs)}`
  return `${text}}`
}

/** Members that are undefined are left out of the JSON: one must be there for it to say anything. */
function isKnown(price: Price): boolean {
  // Asked twice for every line: a list of the amounts would be made each time.
  for (const name in price) if (price[name as keyof Price] !== undefined) return true
  return false
}

function endOf({ slow, requestBytes, responseBytes, dropped, converted, flags }: CallRecord): string {
  const sizes = `,"requestBytes":${number(requestBytes)},"responseBytes":${number(responseBytes)}`
  const names = namesIn(dropped, 'dropped') + namesIn(converted, 'converted') + namesIn(flags, 'flags')
  return `,"slow":${slow}${sizes}${names}`
}

function namesIn(names: LazySet, label: string): string {
  return names.size > 0 ? `,"${label}":${JSON.stringify([...names])}` : ''
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

function quoted(text: string): string {
  return isPlain.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Printable ASCII that JSON writes as it is. */
const isPlain = /^[ !#-[\]-~]*$/

/** JSON has no other numbers. */
function number(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

function hundredths(ms: number): string {
  const count = Math.round(ms * 100)
  if (!(count >= 0 && count < 1e9)) return number(count / 100)
  // Small whole numbers have their texts ready; those of fractions are worked out digit by digit.
  const whole = Math.floor(count / 100)
  return whole + (fractions[count - whole * 100] ?? '')
}

/** `''`, `.01`, … `.1`, … `.99` */
const fractions = Array.from({ length: 100 }, (_, count) => String(count / 100).slice(1))
