import { expect, test } from 'vitest'
import type { Verdict } from '../../../src/core/health/breaker.ts'
import { outcomeOf, type ProbeOutcome, verdictOnProbe } from '../../../src/core/health/probe.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import type { UpstreamHealth } from '../../../src/core/model/ports.ts'

test.for<[UpstreamHealth, ProbeOutcome, Verdict]>([
  [{ isReady: true }, 'ready', 'answered'],
  [{ isReady: true, queued: 9, idleWorkers: 0, busyWorkers: 1 }, 'ready', 'answered'],
  [{ isReady: true, queued: 0, idleWorkers: 0, busyWorkers: 0 }, 'ready', 'answered'],
  [{ isReady: false }, 'unready', 'failed'],
  [{ isReady: false, queued: 3 }, 'unready', 'failed'],
  [{ isReady: false, idleWorkers: 0, busyWorkers: 1 }, 'unready', 'failed'],
  [{ isReady: false, queued: 0, idleWorkers: 0, busyWorkers: 0 }, 'asleep', 'neither'],
  [{ isReady: false, queued: 7, idleWorkers: 0, busyWorkers: 0 }, 'asleep', 'neither'],
  [{ isReady: false, idleWorkers: 0 }, 'asleep', 'neither'],
  [{ isReady: false, busyWorkers: 0 }, 'asleep', 'neither'],
])('an upstream that reports %o is %s, and counts as %s', ([answer, outcome, verdict]) => {
  const probe = { atEpochMs: 0, answer }
  expect([outcomeOf(probe), verdictOnProbe(probe)]).toEqual([outcome, verdict])
})

test.for<[FailureKind, Verdict]>([
  ['unreachable', 'failed'],
  ['timeout', 'failed'],
  ['upstream_error', 'failed'],
  ['invalid_response', 'failed'],
  ['rate_limited', 'neither'],
  ['upstream_auth', 'neither'],
  ['model_not_found', 'neither'],
  ['draining', 'neither'],
  ['internal', 'neither'],
])('a probe that failed with %s counts as %s', ([kind, verdict]) => {
  const probe = { atEpochMs: 0, answer: new Failure(kind, 'No.') }
  expect([outcomeOf(probe), verdictOnProbe(probe)]).toEqual(['failed', verdict])
})
