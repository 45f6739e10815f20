import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CallEntry, Projection, StateEntry } from '../../../src/core/model/journal.ts'
import { encodeLine } from '../../../src/core/model/record/line-writer.ts'
import { createCallPacker } from '../../../src/ledger/call-packer.ts'
import { type JournalSettings, openJournal, type Trouble } from '../../../src/ledger/journal/file-journal.ts'
import { readFrames } from '../../../src/ledger/journal/frame.ts'
import { listSegments, segmentPath } from '../../../src/ledger/journal/segments.ts'
import { makeDirectory } from '../directory.ts'

const grow = (at: number): StateEntry => ({
  ...{ type: 'grow', id: `req_${at}`, at },
  parts: [{ counter: 'all', nanoUsd: at }],
})
const call = (at: number): CallEntry => ({
  ...{ type: 'call', id: `req_${at}`, at },
  line: encodeLine(`"requestId":"req_${at}","model":"m"`),
})

describe('an appended line', () => {
  test('is in the file once it is written, in order, as lines of JSON', async () => {
    await using directory = await makeDirectory()
    await using journal = await open(directory.path)
    journal.append(grow(1))
    journal.append(call(2))
    await journal.written()
    expect(await linesIn(directory.path)).toEqual([
      { type: 'grow', id: 'req_1', at: 1, parts: [{ counter: 'all', nanoUsd: 1 }] },
      { type: 'call', at: 2, requestId: 'req_2', model: 'm' },
    ])
  })

  test('is the same, packed by any process', async () => {
    await using directory = await makeDirectory()
    await using journal = await open(directory.path)
    const packer = createCallPacker()
    for (const at of [1, 2]) packer.add(call(at))
    journal.appendCalls(packer.take())
    journal.append(call(3))
    packer.add(call(4))
    journal.appendCalls(packer.take())
    await journal.written()
    expect((await linesIn(directory.path)).map(({ requestId }) => requestId)).toEqual([
      ...['req_1', 'req_2', 'req_3', 'req_4'],
    ])
    expect(packer.count).toBe(0)
  })

  test('is written by the end of the turn, even if nothing waits for it', async () => {
    await using directory = await makeDirectory()
    await using journal = await open(directory.path)
    journal.append(grow(1))
    await new Promise(setImmediate)
    expect(await linesIn(directory.path)).toHaveLength(1)
  })

  test('may be longer than the buffer, with any characters', async () => {
    await using directory = await makeDirectory()
    await using journal = await open(directory.path)
    const id = '€'.repeat(300_000)
    journal.append({ ...grow(1), id } as StateEntry)
    journal.append(grow(2))
    await journal.durable()
    expect((await linesIn(directory.path)).map((line) => line['id'])).toEqual([id, 'req_2'])
  })

  test('is on disk when it is durable, if configured', async () => {
    await using directory = await makeDirectory()
    await using journal = await open(directory.path, { durability: 'disk' })
    const waits = [1, 2, 3].map((at) => {
      journal.append(grow(at))
      return journal.durable()
    })
    await Promise.all(waits)
    expect(await linesIn(directory.path)).toHaveLength(3)
    expect(journal.state.syncFailures).toBe(0)
  })
})

describe('a start', () => {
  test('rebuilds the state from every line', async () => {
    await using directory = await makeDirectory()
    await filled(directory.path, [1, 2, 3])
    const sum = createSum()
    await using journal = await open(directory.path, { projections: [sum] })
    expect(sum.value()).toBe(6)
    expect(journal.replayed).toMatchObject({ tornBytes: 0, damagedBytes: 0 })
  })

  test('rebuilds it from the checkpoint and the lines after it, each once', async () => {
    await using directory = await makeDirectory()
    const sum = createSum()
    {
      await using journal = await open(directory.path, { projections: [sum] })
      for (const at of [1, 2, 3]) {
        sum.apply(grow(at))
        journal.append(grow(at))
        if (at === 2) await journal.checkpoint()
      }
      await crash(journal, directory.path)
    }
    const again = createSum()
    await using journal = await open(directory.path, { projections: [again] })
    expect([again.value(), again.applied()]).toEqual([6, 1])
    expect(journal.position.segment).toBe(2)
  })

  test.for(['x', '0000', '00000040 00000000 {"type":"grow",', '\0\0\0\0'])(
    'cuts off the torn tail %j, and continues',
    async (tail) => {
      await using directory = await makeDirectory()
      await filled(directory.path, [1, 2])
      await appendFile(segmentPath(directory.path, 1), tail)
      const sum = createSum()
      {
        await using journal = await open(directory.path, { projections: [sum] })
        expect(journal.replayed.tornBytes).toBe(tail.length)
        journal.append(grow(3))
      }
      expect(readFrames(await readFile(segmentPath(directory.path, 1)), true).damaged).toBe(0)
      expect(sum.value()).toBe(3)
      expect((await linesIn(directory.path)).map(({ at }) => at)).toEqual([1, 2, 3])
    },
  )

  test('is refused if the checkpoint is damaged', async () => {
    await using directory = await makeDirectory()
    await filled(directory.path, [1])
    await writeFile(join(directory.path, 'checkpoint'), '{}')
    await expect(open(directory.path)).rejects.toThrow('is damaged')
  })

  test('is refused if a segment is missing', async () => {
    await using directory = await makeDirectory()
    for (const at of [1, 2, 3]) await filled(directory.path, [at])
    await rm(segmentPath(directory.path, 3))
    await expect(open(directory.path)).rejects.toThrow('missing: from 3 on there are none')
  })

  test('reuses an empty segment', async () => {
    await using directory = await makeDirectory()
    await filled(directory.path, [1])
    for (let start = 0; start < 3; start++) {
      await using journal = await open(directory.path)
      expect(journal.position).toEqual({ segment: 2, offset: 0 })
    }
  })
})

describe('segments', () => {
  test('have the maximum size, each with a checkpoint', async () => {
    await using directory = await makeDirectory()
    const sum = createSum()
    await using journal = await open(directory.path, { segmentBytes: 200, projections: [sum] })
    for (let at = 1; at <= 20; at++) {
      sum.apply(grow(at))
      journal.append(grow(at))
      await journal.written()
    }
    await journal.checkpoint()
    const segments = await listSegments(directory.path)
    expect(segments.length).toBeGreaterThan(4)
    expect(segments.slice(0, -1).every(({ bytes }) => bytes >= 200 && bytes < 300)).toBe(true)
    expect(await linesIn(directory.path)).toHaveLength(20)
  })

  test('are deleted once shipped and covered by a checkpoint, and the state is kept', async () => {
    await using directory = await makeDirectory()
    const sum = createSum()
    {
      await using journal = await open(directory.path, { segmentBytes: 200, projections: [sum] })
      for (let at = 1; at <= 20; at++) {
        sum.apply(grow(at))
        journal.append(grow(at))
        await journal.written()
      }
      await journal.checkpoint()
      const before = await listSegments(directory.path)
      journal.shipped({ segment: 3, offset: 0 })
      await expect.poll(async () => (await listSegments(directory.path)).at(0)?.segment).toBe(3)
      expect(await listSegments(directory.path)).toEqual(before.slice(2))
      expect(journal.state.spooledBytes).toBe(before.slice(2).reduce((bytes, each) => bytes + each.bytes, 0))
    }
    const again = createSum()
    await using _journal = await open(directory.path, { projections: [again] })
    expect(again.value()).toBe(210)
  })
})

test('above the spool limit calls are dropped and counted, but lines about money are kept', async () => {
  await using directory = await makeDirectory()
  const troubles: Trouble[] = []
  await using journal = await open(directory.path, {
    ...{ segmentBytes: 200, spoolBytes: 500 },
    report: (trouble) => troubles.push(trouble),
  })
  for (let at = 1; at <= 20; at++) {
    journal.append(call(at))
    journal.append(grow(at))
    await journal.written()
  }
  const lines = await linesIn(directory.path)
  const calls = lines.filter(({ type }) => type === 'call').length
  expect(calls).toBeGreaterThan(0)
  expect(journal.state.droppedCalls).toBe(20 - calls)
  expect(lines.length - calls).toBe(20)
  expect(troubles).toEqual([{ what: 'spool_full' }])
  // Once the store has them, there is room again.
  await journal.checkpoint()
  journal.shipped(journal.position)
  await expect.poll(async () => (await listSegments(directory.path)).length).toBe(1)
  journal.append(call(21))
  await journal.written()
  expect((await linesIn(directory.path)).at(-1)).toMatchObject({ at: 21 })
  expect(troubles.at(-1)).toEqual({ what: 'spool_free_again' })
})

/** As if the process were killed: with the lines since the last checkpoint, and no final checkpoint. */
async function crash(
  journal: AsyncDisposable & { written(): Promise<void> },
  directory: string,
): Promise<void> {
  await journal.written()
  const checkpoint = await readFile(join(directory, 'checkpoint'))
  await journal[Symbol.asyncDispose]()
  await writeFile(join(directory, 'checkpoint'), checkpoint)
}

async function filled(directory: string, ats: readonly number[]): Promise<void> {
  const journal = await open(directory)
  for (const at of ats) journal.append(grow(at))
  await crash(journal, directory)
}

function open(directory: string, settings: Partial<JournalSettings> = {}) {
  return openJournal({
    directory,
    durability: 'process',
    segmentBytes: 1_000_000,
    spoolBytes: 10_000_000,
    reserveBytes: 4096,
    projections: [],
    report: () => undefined,
    ...settings,
  })
}

async function linesIn(directory: string): Promise<readonly Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = []
  for (const { segment } of await listSegments(directory)) {
    const { frames } = readFrames(await readFile(segmentPath(directory, segment)), true)
    for (const { text } of frames) lines.push(JSON.parse(text) as Record<string, unknown>)
  }
  return lines
}

function createSum(): Projection & { value(): number; applied(): number } {
  let sum = 0
  let applied = 0
  return {
    name: 'sum',
    restore(snapshot) {
      sum = typeof snapshot === 'number' ? snapshot : 0
    },
    apply(entry) {
      applied++
      if (entry.type === 'grow') sum += entry.parts[0]?.nanoUsd ?? 0
    },
    snapshot: () => sum,
    value: () => sum,
    applied: () => applied,
  }
}
