import { attemptNanoUsd, type Spent, spendingOf } from '../../core/account/attempt-cost.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { usdText } from '../../core/model/price.ts'
import { type MoneyLine, readMoneyLine } from './savings-line.ts'

/** Reads the lines of a log, and recomputes costs and savings. */
export interface SavingsReport {
  add(line: string): void
  /** Lines whose amounts differ from the recomputed ones, or whose money is unreadable. */
  readonly disagreements: readonly string[]
  /** The report: the cost per deployment, in total, and at the baseline. */
  text(): string
}

export function createSavingsReport(): SavingsReport {
  const disagreements: string[] = []
  const deployments = new Map<string, CallCost>()
  const totals: Totals = {
    lines: 0,
    unread: 0,
    calls: 0,
    cost: 0n,
    unknown: 0,
    compared: 0,
    comparedCost: 0n,
    baseline: 0n,
  }
  return {
    disagreements,
    add(text) {
      totals.lines++
      if (text.trim() === '') return
      const line = parsed(text)
      if (line === undefined) {
        totals.unread++
        return
      }
      try {
        const money = readMoneyLine(line)
        if (money === 'other') return
        disagreements.push(...disagreementsOf(money, totals.lines))
        for (const attempt of money.attempts) enter(attempt, deployments)
        sumUp(money, totals)
      } catch (thrown) {
        if (!(thrown instanceof RangeError)) throw thrown
        disagreements.push(`line ${totals.lines}: ${thrown.message}`)
      }
    },
    text: () =>
      [...tableOf(deployments), '', ...summaryOf(totals), ...verdictOn(disagreements), ''].join('\n'),
  }
}

/** One deployment's work and cost. */
type CallCost = {
  attempts: number
  promptTokens: number
  cachedTokens: number
  completionTokens: number
  cost: bigint
  estimated: number
  /** Attempts with an unknown cost. */
  unknown: number
}

type Totals = {
  lines: number
  unread: number
  calls: number
  cost: bigint
  /** Calls with an unknown cost. */
  unknown: number
  /** Calls with a known cost and baseline, and their sums. */
  compared: number
  comparedCost: bigint
  baseline: bigint
}

function parsed(text: string): JsonObject | undefined {
  try {
    const line: unknown = JSON.parse(text)
    return isObject(line) ? line : undefined
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

function disagreementsOf(
  { requestId, attempts, baseline, told, toldByAttempt }: MoneyLine,
  line: number,
): string[] {
  const found = spendingOf(attempts, baseline)
  const pairs: (readonly [name: string, written: unknown, found: unknown])[] = [
    ...attempts.map(
      (attempt, place) =>
        [`attempts[${place}].costNanoUsd`, toldByAttempt[place], attemptNanoUsd(attempt)] as const,
    ),
    ['costNanoUsd', told.costNanoUsd, found.costNanoUsd],
    ['costEstimated', told.isEstimated, found.isEstimated],
    ['baselineNanoUsd', told.baselineNanoUsd, found.baselineNanoUsd],
    ['savedNanoUsd', told.savedNanoUsd, found.savedNanoUsd],
  ]
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(
      ([name, one, other]) =>
        `line ${line}, ${requestId}: ${name} is ${shown(one)}, recomputed ${shown(other)}`,
    )
}

function shown(value: unknown): string {
  return value === undefined ? 'unknown' : String(value)
}

function enter(attempt: Spent, deployments: Map<string, CallCost>): void {
  const { deployment, used } = attempt
  const account = deployments.get(deployment) ?? {
    attempts: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    cost: 0n,
    estimated: 0,
    unknown: 0,
  }
  deployments.set(deployment, account)
  const cost = attemptNanoUsd(attempt)
  account.attempts++
  account.promptTokens += used?.promptTokens ?? 0
  account.cachedTokens += used?.cachedTokens ?? 0
  account.completionTokens += used?.completionTokens ?? 0
  account.cost += BigInt(cost ?? 0)
  if (attempt.isEstimated) account.estimated++
  if (cost === undefined) account.unknown++
}

function sumUp({ attempts, baseline }: MoneyLine, totals: Totals): void {
  const { costNanoUsd, baselineNanoUsd } = spendingOf(attempts, baseline)
  totals.calls++
  if (costNanoUsd === undefined) {
    totals.unknown++
    return
  }
  totals.cost += BigInt(costNanoUsd)
  if (baselineNanoUsd === undefined) return
  totals.compared++
  totals.comparedCost += BigInt(costNanoUsd)
  totals.baseline += BigInt(baselineNanoUsd)
}

function tableOf(deployments: ReadonlyMap<string, CallCost>): readonly string[] {
  const rows = [...deployments]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { attempts, promptTokens, cachedTokens, completionTokens, cost, estimated, unknown }]) => [
      name,
      ...[attempts, promptTokens, cachedTokens, completionTokens].map(String),
      usdText(cost),
      ...[estimated, unknown].map(String),
    ])
  const lines = [
    ['deployment', 'attempts', 'prompt', 'cached', 'completion', 'USD', 'estimated', 'unknown'],
    ...rows,
  ]
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  return lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
}

function summaryOf({
  lines,
  unread,
  calls,
  cost,
  unknown,
  compared,
  comparedCost,
  baseline,
}: Totals): readonly string[] {
  const saved = baseline - comparedCost
  const percent = baseline === 0n ? '' : ` (${(Number((saved * 1000n) / baseline) / 10).toFixed(1)} %)`
  return [
    `calls: ${calls}; lines: ${lines}${unread === 0 ? '' : `; skipped, not JSON: ${unread}`}`,
    `spent     ${usdText(cost)} USD${unknown === 0 ? '' : `; calls whose cost is not known: ${unknown}`}`,
    `baseline  ${usdText(baseline)} USD; calls whose cost and baseline are known: ${compared}`,
    `saved     ${usdText(saved)} USD of those${percent}`,
  ]
}

function verdictOn(disagreements: readonly string[]): readonly string[] {
  if (disagreements.length === 0) return ['Every line agrees with its usage and prices.']
  return ['', 'Lines that disagree:', ...disagreements.map((each) => `  ${each}`)]
}
