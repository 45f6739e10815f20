import { strict as assert } from 'node:assert'
import { startGateway, workersOf } from '../../acceptance/gateway-process.ts'
import type { FaultCase } from '../fault-case.ts'
import { adminKey, agreeWithBill, callFleet, configBefore } from '../fleet.ts'
import { until } from '../ledger-harness.ts'
import { startBillingUpstream } from '../upstream/billing-upstream.ts'

/** Fault 39, of one gateway with several workers. */
export const workerCases: readonly FaultCase[] = [
  {
    fault: 39,
    name: 'one of three workers, at once, under load',
    outcome:
      'callers lose what was under way at it alone; another takes its place, and what it held is uncertain',
    play: killOne,
  },
]

const callerCount = 12

async function killOne(): Promise<void> {
  await using upstream = await startBillingUpstream()
  await using gateway = await startGateway({
    file: JSON.stringify(configBefore(upstream)),
    environment: { ADMIN_KEY: adminKey, DATA_DIR: 'data', WORKERS: '3' },
  })
  const callers = callFleet(gateway.url, callerCount)
  await until('some calls are answered', () => callers.answered() > 50)
  const [killed = 0, ...others] = workersOf(gateway)
  process.kill(killed, 'SIGKILL')
  await until('another takes its place', () => {
    const now = workersOf(gateway)
    return now.length === 3 && !now.includes(killed)
  })
  const before = callers.answered()
  await until('calls continue', () => callers.answered() > before + 100)
  await callers.stop()
  const now = workersOf(gateway)
  assert(others.length === 2 && others.every((worker) => now.includes(worker)), 'another worker ended')
  assert(callers.lost().length <= callerCount, `lost: ${callers.lost().join(', ')}`)
  assert.deepEqual(
    callers.seen.filter(({ status }) => status !== 200),
    [],
    'a call was refused',
  )
  await agreeWithBill(gateway, upstream)
}
