import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createKeptLists, type KeptLists } from '../../../src/catalog/kept-lists.ts'
import { createPriceBook } from '../../../src/catalog/price-book.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Upstream, UpstreamModel } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { type ProviderListsParts, readProviderLists } from '../../../src/main/upstreams/provider-lists.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { removeDirectory } from '../../harness/directory.ts'
import { scriptedUpstream } from '../../harness/scripted-upstream.ts'

const hourMs = 3_600_000
const clock = { now: () => performance.now(), epochMs: () => Date.now() }
const start = Date.parse('2026-11-29T12:00:00Z')

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lists-'))
  vi.useFakeTimers({ now: start, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await removeDirectory(directory)
})

describe('a list', () => {
  test('is read at the start, and every so often after that', async () => {
    const { asked, upstream } = host(() => [model('m', 1)])
    using lists = reading(upstream)
    await settle()
    expect(asked).toEqual([start])
    expect(lists.report()).toEqual([
      { provider: 'one', readEpochMs: start, models: 1, failures: 0, asked: 1 },
    ])
    await vi.advanceTimersByTimeAsync(12 * hourMs)
    expect(asked.map((at) => (at - start) / hourMs)).toEqual([0, 4, 8, 12])
  })

  test('that fails for a day is asked for again soon, then ever later, and what it was stays', async () => {
    let fails = false
    const { asked, upstream } = host(() => {
      if (fails) throw new Failure('unreachable', 'The upstream cannot be reached.')
      return [model('m', asked.length)]
    })
    const { book, log, parts } = tools(upstream)
    using lists = readProviderLists(parts)
    await settle()
    fails = true
    await vi.advanceTimersByTimeAsync(28 * hourMs)
    const seconds = asked.slice(1, 10).map((at) => Math.round((at - start) / 1000) - 4 * 3600)
    expect(seconds).toEqual([0, 1, 6, 36, 156, 456, 1356, 3156, 4956])
    expect(priceOf(book)).toBe(1)
    expect(lists.report()[0]).toMatchObject({ readEpochMs: start, models: 1 })
    expect(lists.report()[0]?.failures).toBeGreaterThan(40)
    expect(log().filter((line) => line.includes('did not list'))).toHaveLength(1)
    fails = false
    await vi.advanceTimersByTimeAsync(hourMs)
    expect(lists.report()[0]?.failures).toBe(0)
    expect(priceOf(book)).toBeGreaterThan(1)
  })

  test('is known after a restart without a network, with its day', async () => {
    const first = host(() => [model('m', 7)])
    using _running = reading(first.upstream)
    await kept()
    vi.setSystemTime(start + 30 * hourMs)
    const unreachable = host(() => {
      throw new Failure('unreachable', 'The upstream cannot be reached.')
    })
    const { book, parts } = tools(unreachable.upstream)
    using lists = readProviderLists(parts)
    expect(priceOf(book)).toBe(7)
    await settle()
    expect(lists.report()).toMatchObject([{ readEpochMs: start, models: 1, failures: 1 }])
    const provider = { name: 'one', type: 'together', list: undefined }
    expect(book.find({ provider, model: 'm' }, Date.now())).toMatchObject({
      ...{ source: 'listed', sinceEpochMs: start, asOfEpochMs: start, isFirm: true },
    })
    expect(book.traits({ provider, model: 'm' }, Date.now())).toEqual({ contextTokens: 4096, vision: false })
  })

  test('of another address is not taken for its own', async () => {
    using _running = reading(host(() => [model('m', 7)]).upstream)
    await kept()
    const { book, parts } = tools(host(never).upstream, { addressOf: () => 'http://elsewhere' })
    using _lists = readProviderLists(parts)
    expect(priceOf(book)).toBeUndefined()
  })

  test.for([['not JSON'], ['{}'], ['{"version":1,"address":"http://one","epochMs":-1}']])(
    'that was kept as %s is none',
    async ([text]) => {
      using _running = reading(host(() => [model('m', 7)]).upstream)
      await kept()
      writeFileSync(join(directory, 'lists', 'one.json'), text ?? '')
      const { book, parts } = tools(host(never).upstream)
      using _lists = readProviderLists(parts)
      expect(priceOf(book)).toBeUndefined()
    },
  )

  test('goes over to the next configuration, which does not ask again before its time', async () => {
    const first = host(() => [model('m', 5)])
    using before = reading(first.upstream)
    await settle()
    vi.setSystemTime(start + hourMs)
    const next = host(() => [model('m', 6)])
    const { book, parts } = tools(next.upstream, { known: before.of(new Set(['one'])) })
    using _lists = readProviderLists(parts)
    expect(priceOf(book)).toBe(5)
    await vi.advanceTimersByTimeAsync(3 * hourMs)
    expect(next.asked).toEqual([start + 4 * hourMs])
    expect(before.of(new Set(['other'])).size).toBe(0)
  })

  test('that cannot be stored is still used, and the log says so', async () => {
    const full: KeptLists = {
      read: () => undefined,
      write: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    }
    const { book, parts, log } = tools(host(() => [model('m', 5)]).upstream, { kept: full })
    using _lists = readProviderLists(parts)
    await settle()
    expect(priceOf(book)).toBe(5)
    expect(log().join('')).toContain('"code":"ENOSPC"')
  })

  test('is not asked for where only callers have keys, nor where there is none', async () => {
    const { asked, upstream } = host(() => [model('m', 1)])
    using lists = reading({ ...upstream, admits: () => false }, scriptedUpstream([[]], { name: 'mute' }))
    await settle()
    expect(asked).toEqual([])
    expect(lists.report()).toEqual([])
  })

  test('says in the log what is new in it, what is gone, and what costs something else', async () => {
    const answers = [
      [model('stays', 1), model('dearer', 1), model('goes', 1)],
      [model('stays', 1), model('dearer', 2), model('comes', 1), model('too', 1)],
    ]
    const { parts, log } = tools(host(() => answers.shift() ?? []).upstream)
    using _lists = readProviderLists(parts)
    await vi.advanceTimersByTimeAsync(5 * hourMs)
    expect(log()[1]).toContain('"models":4,"appeared":2,"vanished":1,"repriced":1')
  })
})

test('prices of hardware are read and kept beside them', async () => {
  const upstream = scriptedUpstream([[]], {
    name: 'one',
    listHardware: async () => [{ names: ['NVIDIA H100', 'ADA_80_PRO'], nanoUsdPerSecond: 1_200_000 }],
  })
  using _running = reading(upstream)
  await kept()
  const silent = scriptedUpstream([[]], { name: 'one', listHardware: never })
  const { book, parts } = tools(silent)
  using _lists = readProviderLists(parts)
  const provider = { name: 'one', type: 'runpod', list: 'runpod' }
  const own = [{ gpu: 'ADA_80_PRO', gpus: 2 }]
  expect(book.find({ provider, model: 'm', own }, Date.now())).toMatchObject({
    ...{ source: 'listed', price: { nanoUsdPerSecond: 2_400_000 } },
  })
})

function tools(upstream: Upstream, changes: Partial<ProviderListsParts> = {}) {
  const lines: string[] = []
  const book = createPriceBook({ models: [], hardware: [], sources: {} })
  const parts: ProviderListsParts = {
    upstreams: [upstream],
    book,
    kept: createKeptLists(directory),
    addressOf: (name) => `http://${name}`,
    everyMs: 4 * hourMs,
    clock,
    random: () => 0.5,
    log: createLog('info', { write: (line: string) => void lines.push(line) }),
    ...changes,
  }
  return { book, parts, log: () => lines }
}

function reading(...upstreams: readonly Upstream[]) {
  const [first] = upstreams
  if (first === undefined) throw new TypeError('At least one is read.')
  return readProviderLists({ ...tools(first).parts, upstreams })
}

function host(list: () => readonly UpstreamModel[]) {
  const asked: number[] = []
  const upstream = scriptedUpstream([[]], {
    name: 'one',
    async listModels() {
      asked.push(Date.now())
      return await list()
    },
  })
  return { asked, upstream }
}

function model(id: string, usd: number): UpstreamModel {
  const price = { ...unknownPrice, inputNanoUsdPerMillion: usd, outputNanoUsdPerMillion: usd }
  return { id, contextTokens: 4096, price, traits: { vision: false } }
}

function never(): never {
  return new Promise(() => undefined) as never
}

function priceOf(book: ReturnType<typeof createPriceBook>): number | undefined {
  const provider = { name: 'one', type: 'together', list: undefined }
  return book.find({ provider, model: 'm' }, Date.now())?.price.inputNanoUsdPerMillion
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

/** Until the file is there, whole. */
async function kept(): Promise<void> {
  for (;;) {
    await settle()
    await new Promise(setImmediate)
    const files = readdirSync(directory).includes('lists') ? readdirSync(join(directory, 'lists')) : []
    if (files.includes('one.json')) break
  }
  expect(readFileSync(join(directory, 'lists', 'one.json'), 'utf8')).toContain('"version":1')
}
