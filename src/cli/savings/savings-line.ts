import type { Spending, Spent } from '../../core/account/attempt-cost.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Consumption, Price } from '../../core/model/price.ts'
import { attemptFields } from '../../core/model/record/fields/attempt-fields.ts'
import { callFields } from '../../core/model/record/fields/call-fields.ts'
import { readMember } from '../../core/model/record/fields/field.ts'
import type { Baseline } from '../../core/model/record/record.ts'

/** The money of one call in a line of the log: usage, prices, and the recorded costs. */
export type MoneyLine = {
  readonly requestId: string
  readonly attempts: readonly Spent[]
  readonly baseline: Baseline | undefined
  readonly told: Spending
  readonly toldByAttempt: readonly (number | undefined)[]
}

/**
 * Reads a line of the log. Returns `other` for a line without money: it is not a call's, or its call used nothing.
 * Throws RangeError with the name of a malformed field.
 */
export function readMoneyLine(line: JsonObject): MoneyLine | 'other' {
  if (line['msg'] !== 'call' || !('costNanoUsd' in line)) return 'other'
  const { attempts } = line
  if (!Array.isArray(attempts) || !attempts.every(isObject))
    throw new RangeError('attempts is not a list of attempts')
  const requestId = line['requestId']
  return {
    requestId: typeof requestId === 'string' ? requestId : '(without an id)',
    attempts: attempts.map((attempt, place) => within(`attempts[${place}]`, () => readSpent(attempt))),
    baseline: within('baseline', () => readBaseline(line['baseline'])),
    told: {
      costNanoUsd: readMember(line, 'costNanoUsd', callFields.costNanoUsd),
      isEstimated: readMember(line, 'costEstimated', callFields.costEstimated) === true,
      baselineNanoUsd: readMember(line, 'baselineNanoUsd', callFields.baselineNanoUsd),
      savedNanoUsd: readMember(line, 'savedNanoUsd', callFields.savedNanoUsd),
    },
    toldByAttempt: attempts.map((attempt, place) =>
      within(`attempts[${place}]`, () => readMember(attempt, 'costNanoUsd', attemptFields.costNanoUsd)),
    ),
  }
}

function readSpent(attempt: JsonObject): Spent {
  return {
    deployment: readName(attempt),
    price: readPrice(attempt['price']),
    priceOrigin: {
      isFirm: readMember(attempt, 'priceUnconfirmed', attemptFields.priceUnconfirmed) !== true,
    },
    used: readUsed(attempt['used']),
    isEstimated: readMember(attempt, 'usageEstimated', attemptFields.usageEstimated) === true,
    isDelivered: readMember(attempt, 'delivered', attemptFields.delivered) === true,
    isResumed: readMember(attempt, 'resumed', attemptFields.resumed) === true,
    isUncertain: readMember(attempt, 'uncertain', attemptFields.uncertain) === true,
  }
}

function readBaseline(value: unknown): Baseline | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw new RangeError('is not an object')
  return { deployment: readName(value), price: readPrice(value['price']), workedMs: readMs(value) }
}

function readName({ deployment }: JsonObject): string {
  if (typeof deployment !== 'string') throw new RangeError('has no deployment')
  return deployment
}

/** Reads a price. Absent amounts are unknown. */
function readPrice(value: unknown): Price {
  if (value !== undefined && !isObject(value)) throw new RangeError('has a price that is not an object')
  const price = value ?? {}
  return {
    inputNanoUsdPerMillion: readCount(price, 'inputNanoUsdPerMillion'),
    cachedInputNanoUsdPerMillion: readCount(price, 'cachedInputNanoUsdPerMillion'),
    outputNanoUsdPerMillion: readCount(price, 'outputNanoUsdPerMillion'),
    nanoUsdPerSecond: readCount(price, 'nanoUsdPerSecond'),
    nanoUsdPerRequest: readCount(price, 'nanoUsdPerRequest'),
  }
}

/** Absent if nothing was used. */
function readUsed(value: unknown): Consumption | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw new RangeError('has a usage that is not an object')
  const promptTokens = readCount(value, 'promptTokens')
  const completionTokens = readCount(value, 'completionTokens')
  if (promptTokens === undefined || completionTokens === undefined)
    throw new RangeError('has an incomplete usage')
  const cachedTokens = readCount(value, 'cachedTokens') ?? 0
  return { promptTokens, cachedTokens, completionTokens, workedMs: readMs(value) }
}

function readMs({ workedMs }: JsonObject): number | undefined {
  if (workedMs === undefined || workedMs === null) return undefined
  if (typeof workedMs === 'number' && workedMs >= 0) return workedMs
  throw new RangeError('has a workedMs that is not a duration')
}

function readCount(value: JsonObject, field: string): number | undefined {
  const amount = readAmount(value, field)
  if (amount !== undefined && amount < 0) throw new RangeError(`${field} is below 0`)
  return amount
}

/** Null means unknown, like a missing value. */
function readAmount(value: JsonObject, field: string): number | undefined {
  const amount = value[field]
  if (amount === undefined || amount === null) return undefined
  if (typeof amount === 'number' && Number.isSafeInteger(amount)) return amount
  throw new RangeError(`${field} is not a whole number`)
}

function within<Value>(place: string, read: () => Value): Value {
  try {
    return read()
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new RangeError(`${place}: ${thrown.message}`, { cause: thrown })
  }
}
