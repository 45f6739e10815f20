import { expect, test } from 'vitest'
import { demonstrateRouting } from '../../bench/demo/routing.ts'

test('the demonstration loses no call with a place, saves money, and agrees with every bill', async () => {
  const told = await demonstrateRouting(60)
  expect(told).toMatchObject({ calls: 120, failed: 0, disputed: [] })
  expect(told.costNanoUsd).toBe(told.billedNanoUsd)
  expect(told.costNanoUsd).toBeGreaterThan(0)
  expect(told.savedNanoUsd).toBe(told.baselineNanoUsd - told.costNanoUsd)
  expect(told.savedNanoUsd).toBeGreaterThan(0)
  // Where most calls went is where it was cheapest, until that was gone.
  expect(told.killed).toBe('frugal')
  expect(told.survived).toBeGreaterThan(0)
  expect(told.answered['frugal']?.before).toBeGreaterThan(30)
  expect(told.answered['steady']?.after).toBeGreaterThan(30)
})
