import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { createWaker } from '../../../src/main/upstreams/waker.ts'
import { aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'
import { levels, logLines } from '../log-lines.ts'

const { signal } = new AbortController()

afterEach(() => {
  vi.useRealTimers()
})

test('a deployment is woken where it is, and the log says so', async () => {
  const woken: string[] = []
  const { waker, logged } = some({ wake: async () => void woken.push('there') })
  expect(await waker.wake('m@there', signal)).toEqual({ provider: 'there' })
  expect(woken).toEqual(['there'])
  expect(logged()).toMatchObject([
    { level: levels.info, deployment: 'm@there', provider: 'there', msg: 'woken' },
  ])
})

test('one that is none is not found, however long its name', async () => {
  const { waker } = some({})
  const told = { kind: 'not_found', status: 404, code: 'deployment_not_found' }
  await expect(waker.wake('m@elsewhere', signal)).rejects.toMatchObject(told)
  const failure = await waker.wake('x'.repeat(5000), signal).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject(told)
  expect(String(failure).length).toBeLessThan(400)
})

test('one whose provider has nothing to wake says so', async () => {
  const { waker, logged } = some({})
  await expect(waker.wake('m@there', signal)).rejects.toMatchObject({
    kind: 'not_implemented',
    status: 501,
    message: expect.stringContaining('`there`'),
  })
  expect(logged()).toEqual([])
})

test('a failure of the upstream is passed on, and logged with what the operator should see', async () => {
  const note = { operatorNote: 'providers.there.apiKey', upstreamStatus: 403 }
  const failure = new Failure('upstream_auth', 'The upstream refused.', note)
  const { waker, logged } = some({ wake: () => Promise.reject(failure) })
  await expect(waker.wake('m@there', signal)).rejects.toBe(failure)
  expect(logged()).toMatchObject([
    { level: levels.warn, msg: 'not woken', failure: 'upstream_auth', ...note },
  ])
})

test('an upstream that does not answer is waited for no longer than 30 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { waker } = some({ wake: untilAborted })
  const woken = expect(waker.wake('m@there', signal)).rejects.toMatchObject({
    kind: 'timeout',
    provider: 'there',
  })
  await vi.advanceTimersByTimeAsync(30_000)
  await woken
  expect(vi.getTimerCount()).toBe(0)
})

test('a caller who leaves has the question given up', async () => {
  const left = new Failure('caller_left', 'The caller closed the connection.')
  const { waker } = some({ wake: untilAborted })
  const caller = new AbortController()
  const woken = waker.wake('m@there', caller.signal)
  caller.abort(left)
  await expect(woken).rejects.toBe(left)
})

function untilAborted(bounded: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    bounded.addEventListener('abort', () => reject(bounded.reason))
  })
}

function some(change: Partial<Upstream>) {
  const { log, lines: logged } = logLines()
  const there = scriptedUpstream([[]], { name: 'there', ...change })
  const waker = createWaker([aDeployment(there, { id: 'm@there' })], log)
  return { waker, logged }
}
