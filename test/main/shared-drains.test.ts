import { expect, test } from 'vitest'
import { createDrains } from '../../src/core/health/drains.ts'
import { drainsOver } from '../../src/main/shared-drains.ts'
import { createMemoryBus } from '../../src/state/memory-bus.ts'

test('a deployment that one process drains is drained in every other, until one of them ends it', async () => {
  const bus = createMemoryBus()
  const [here, there] = [drainsOver(bus, createDrains()), drainsOver(bus, createDrains())]
  const drain = { sinceEpochMs: 5, by: 'operator', reason: undefined }
  const before = there.version
  here.begin('m@one', drain)
  expect(here.of('m@one')).toEqual(drain)
  await expect.poll(() => there.of('m@one')).toEqual(drain)
  expect(there.version).not.toBe(before)
  there.end('m@one')
  await expect.poll(() => here.of('m@one')).toBeUndefined()
  expect(there.of('m@one')).toBeUndefined()
})
