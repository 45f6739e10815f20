import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { createGateway } from '../../../src/core/gateway.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { aCaller, upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { planning } from '../../harness/routing.ts'
import { aCall, aDeployment, silence, textChunk, timersClock } from '../../harness/scripted-upstream.ts'
import { tools } from '../../harness/tools.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const outages = [1000, 60_000]
const ways = ['refuses', 'is silent', 'refuses our key'] as const

test.for(outages.flatMap((outageMs) => ways.map((way) => ({ outageMs, way }))))(
  'after $outageMs ms in which an upstream $way it is used again within 5 s, and no call has failed',
  async ({ outageMs, way }) => {
    let isDown = true
    const answer = [textChunk('yes', 'stop')]
    const sick = upstreamNamed('sick', [
      (attempt, call) => {
        if (!isDown) return answer
        if (way === 'is silent') return silence(attempt, call)
        throw way === 'refuses'
          ? new Failure('unreachable', 'No.')
          : new Failure('upstream_auth', 'No.', { upstreamStatus: 401 })
      },
    ])
    const well = upstreamNamed('well', [() => answer])
    const gateway = gatewayOver([sick, well])
    let recoveredAt: number | undefined
    const startedAt = Date.now()
    while (true) {
      if (recoveredAt === undefined && Date.now() - startedAt >= outageMs) {
        isDown = false
        recoveredAt = Date.now()
      }
      const { outcome, deployment } = await callOnce(gateway)
      expect(outcome).toBe('ok')
      if (recoveredAt !== undefined && deployment === 'm@sick') break
      await vi.advanceTimersByTimeAsync(100)
      if (recoveredAt !== undefined) expect(Date.now() - recoveredAt).toBeLessThanOrEqual(5000)
    }
    expect(Date.now() - (recoveredAt ?? 0)).toBeLessThanOrEqual(5000)
  },
)

function gatewayOver(upstreams: readonly ReturnType<typeof upstreamNamed>[]) {
  const deployments = upstreams.map((upstream) =>
    aDeployment(upstream, {
      id: `m@${upstream.name}`,
      clocks: { connectMs: 100, firstTokenMs: 200, idleMs: 200, totalMs: 400 },
      retry: { retries: 0, delayMs: 1 },
    }),
  )
  return createGateway({
    ...planning([{ pattern: 'some-*', strategy: 'fallback', deployments }]),
    counter: { count: async (text) => text.length },
    detokenizer: tools.detokenizer,
    clock: timersClock,
    random: () => 0.5,
    limits: { deadlineMs: 10_000, fanOut: 4, choices: 16, continueStreams: true },
  })
}

/** One call, and the time that it takes on the clock. */
async function callOnce(gateway: ReturnType<typeof createGateway>) {
  const record = createRecorder([], timersClock, 1500).open('req_1', 'completions')
  let isOver = false
  const replied = Promise.resolve(gateway.reply(aCall(), aCaller().signal, record)).then(
    () => ({ outcome: 'ok', deployment: record.row.deployment }),
    (thrown: unknown) => ({ outcome: String(thrown), deployment: undefined }),
  )
  void replied.then(() => {
    isOver = true
  })
  for (let turn = 0; turn < 1000 && !isOver; turn++) await vi.advanceTimersByTimeAsync(turn < 3 ? 0 : 10)
  return await replied
}
