import { expect, test } from 'vitest'
import { createSavingsReport } from '../../src/cli/savings/savings-report.ts'
import type { AttemptRecord, CallRecord } from '../../src/core/model/record/record.ts'
import { reconcile } from '../chaos/reconcile.ts'
import { type BilledStage, billedFor, mostUncertainNanoUsd, untimed } from './billed.ts'

/** What models do. All of it at each of the places. */
const names = [
  ...['sim-long-30', 'sim-drip-3-long-12', 'sim-echo', 'sim-reasoning'],
  ...['sim-cut-5', 'sim-drip-3-cut-8', 'sim-stall-0', 'sim-stall-3', 'sim-reset', 'sim-badjson', 'sim-empty'],
  ...['sim-flaky-1', 'sim-ratelimit-0', 'sim-status-400', 'sim-status-500'],
  ...['sim-nousage', 'sim-usage-weird'],
]
const places = ['t', 'b', 'd', 'j', 'p', 'c']

test('whatever becomes of calls, the upstreams’ bills are the records’, to the nano-USD or as marked', async () => {
  const { records, lines, log } = await billedFor(names, async (stage) => {
    await callEverything(stage)
    await race(stage)
  })
  const attempts = records.flatMap(({ id, attempts: made }) =>
    made.map((entry, at) => ({ ...entry, id: `${id}-${at}` })),
  )
  const untold = new Set(attempts.filter(isUntold).map(({ id }) => id))
  const rows = records.map(({ flags, dropped: _d, converted: _c, failure: _f, ...row }) => ({
    ...row,
    failure: undefined,
    flags: [...flags],
  }))
  // The race was held up by somebody else, whom this gateway does not know.
  const bill = { lines: lines.filter(({ attempt }) => attempt !== undefined), untold }
  const { exact, uncertain, wrong } = reconcile(rows, bill)
  expect(wrong).toEqual([])
  const beyond = uncertain.filter(
    ({ billedNanoUsd, bookedNanoUsd }) => Math.abs(billedNanoUsd - bookedNanoUsd) > mostUncertainNanoUsd,
  )
  expect(beyond).toEqual([])
  expect(exact).toBeGreaterThan(30)

  // None of what could go unnoticed has been missing.
  const outcomes = new Set(attempts.map(({ outcome }) => outcome))
  expect([...outcomes].toSorted()).toEqual(
    ['caller_left', 'interrupted', 'invalid_response', 'ok', 'overloaded', 'rate_limited']
      .concat(['rejected', 'superseded', 'timeout', 'unreachable', 'upstream_error'])
      .toSorted(),
  )
  expect(attempts.some(({ isResumed }) => isResumed)).toBe(true)
  expect(attempts.some(isPaidFailure)).toBe(true)

  const report = createSavingsReport()
  for (const line of log) report.add(line)
  expect(report.disagreements).toEqual([])
  expect(report.text()).toContain(`calls: ${records.length};`)
})

/** Of these an upstream does not say, or not so that it could be, what there is to be paid. */
function isUntold({ deployment }: AttemptRecord): boolean {
  return untimed.test(deployment) || /(nousage|weird)@(together|shared)$/.test(deployment)
}

/** A job that failed, with the time that it took. */
function isPaidFailure({ deployment, outcome, isEstimated, costNanoUsd = 0 }: AttemptRecord): boolean {
  return deployment.endsWith('@jobs') && outcome === 'overloaded' && !isEstimated && costNanoUsd > 0
}

async function callEverything({ url, gateway }: BilledStage): Promise<void> {
  const calls = names.flatMap((name) =>
    places.flatMap((place): (() => Promise<void>)[] => {
      const model = `${place}/${name}`
      const chat = { model, max_tokens: 40, messages: [{ role: 'user', content: `Hello from ${model}.` }] }
      const text = { model, max_tokens: 40, prompt: `Hello from ${model}.` }
      return [
        () => ask(`${url}/v1/chat/completions`, chat),
        () => ask(`${url}/v1/chat/completions`, { ...chat, stream: true }),
        () => begin(`${url}/v1/chat/completions`, { ...chat, stream: true }),
        () => ask(`${url}/v1/completions`, place === 'c' ? { ...text, stream: true } : { ...text, n: 2 }),
      ]
    }),
  )
  const count = calls.length
  const work = async () => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) await call()
  }
  await Promise.all(Array.from({ length: 24 }, work))
  await gateway.recorded(count)
}

async function ask(url: string, body: object, signal?: AbortSignal): Promise<void> {
  await (await post(url, body, signal)).text()
}

/** Leaves in the middle. */
async function begin(url: string, body: object): Promise<void> {
  const response = await post(url, body)
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.cancel()
}

function post(url: string, body: object, signal: AbortSignal | null = null): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
}

/** The only worker of the first place is busy: a call waits there without success, and runs at the second. */
async function race({ url, gateway, queue }: BilledStage): Promise<void> {
  const known = gateway.records.length
  const chat = { model: 'q/sim-echo', stream: true, messages: [{ role: 'user', content: 'Hello.' }] }
  for (let turn = 0; turn < 20; turn++) await ask(`${url}/v1/chat/completions`, chat)
  const occupier = new AbortController()
  const messages = [{ role: 'user', content: 'Hold on.' }]
  const path = `${queue.origin}/v2/e/openai/v1/chat/completions`
  const held = ask(path, { model: 'sim-stall-0', stream: true, messages }, occupier.signal)
  await expect.poll(() => queue.requests.some(({ body }) => body.includes('Hold on.'))).toBe(true)
  await ask(`${url}/v1/chat/completions`, chat)
  occupier.abort()
  await expect(held).rejects.toThrow()
  const { attempts }: CallRecord = await gateway.recorded(known + 21)
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['superseded', 'ok'])
}
