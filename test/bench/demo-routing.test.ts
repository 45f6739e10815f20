import { expect, test } from 'vitest'
import { billsCompared } from '../../bench/demo/bills.ts'
import { demonstrateRouting } from '../../bench/demo/routing.ts'
import { type AttemptRecord, startRecord } from '../../src/core/model/record/record.ts'
import { anAttempt } from '../telemetry/attempt-record.ts'

test('the demonstration loses no call with a place, saves money, and agrees with every bill', async () => {
  const told = await demonstrateRouting(66)
  expect(told).toMatchObject({ calls: 4 + 132, failed: 0, bills: { disputed: [] } })
  const { agreedNanoUsd, billedNanoUsd, uncertain } = told.bills
  expect(agreedNanoUsd).toBe(billedNanoUsd)
  expect(agreedNanoUsd).toBeGreaterThan(0)
  const doubtful = uncertain.reduce((sum, { claimedNanoUsd }) => sum + claimedNanoUsd, 0)
  expect(told.costNanoUsd).toBe(agreedNanoUsd + doubtful)
  expect(told.savedNanoUsd).toBeGreaterThan(0)
  // Where most calls went is where it was cheapest, until that was gone.
  expect(told.killed).toBe('frugal')
  expect(told.survived).toBeGreaterThan(0)
  expect(told.answered['frugal']?.before).toBeGreaterThan(20)
  expect(told.answered['steady']?.after).toBeGreaterThan(5)
  // Paid by the second: where long prompts are cheapest.
  expect(told.answered['rented']?.before).toBeGreaterThan(0)
  expect(told.answered['rented']?.after).toBeGreaterThan(5)
  expect(told.left).toBeGreaterThan(3)
  expect(told.continued).toBeGreaterThan(3)
  expect(uncertain.length).toBeGreaterThanOrEqual(told.continued)
})

test('what one side is sure of and the other has otherwise is in dispute, not in doubt', () => {
  const attempt = (costNanoUsd: number, change: Partial<AttemptRecord> = {}) =>
    anAttempt({ deployment: 'm@p', costNanoUsd, ...change })
  const record = {
    ...startRecord('req_1', 'chat'),
    attempts: [
      attempt(5),
      attempt(6),
      attempt(7, { isUncertain: true }),
      attempt(8, { isEstimated: true }),
      attempt(0, { outcome: 'busy' }),
    ],
  }
  const bill = new Map([
    ['req_1-0', 5],
    ['req_1-1', 9],
    ['req_1-3', 8],
    ['req_9-0', 1],
  ])
  expect(billsCompared([record], bill)).toEqual({
    agreedNanoUsd: 5,
    billedNanoUsd: 5,
    uncertain: [
      { attempt: 'req_1-2', deployment: 'm@p', outcome: 'ok', claimedNanoUsd: 7, billedNanoUsd: 0 },
      { attempt: 'req_1-3', deployment: 'm@p', outcome: 'ok', claimedNanoUsd: 8, billedNanoUsd: 8 },
    ],
    disputed: [
      { attempt: 'req_1-1', deployment: 'm@p', outcome: 'ok', claimedNanoUsd: 6, billedNanoUsd: 9 },
      { attempt: 'req_9-0', deployment: 'unheard of', outcome: '', claimedNanoUsd: 0, billedNanoUsd: 1 },
    ],
  })
})
