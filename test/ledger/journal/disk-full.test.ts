import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StateEntry } from '../../../src/core/model/journal.ts'
import { encodeLine } from '../../../src/core/model/record/line-writer.ts'
import { openJournal, type Trouble } from '../../../src/ledger/journal/file-journal.ts'
import { readFrames } from '../../../src/ledger/journal/frame.ts'
import { listSegments, segmentPath } from '../../../src/ledger/journal/segments.ts'
import { mountSmallDisk, noSmallDisk } from '../small-disk.ts'

test.skipIf(noSmallDisk)(
  'when the disk is full, admitted calls settle, dropped calls are counted, and later everything works again',
  async () => {
    using disk = mountSmallDisk(1024 * 1024)
    const troubles: Trouble['what'][] = []
    await using journal = await openJournal({
      ...{ directory: disk.path, durability: 'process', segmentBytes: 10_000_000, spoolBytes: 10_000_000 },
      ...{ reserveBytes: 128 * 1024, projections: [], report: ({ what }) => troubles.push(what) },
    })
    await fill(join(disk.path, 'others'))
    const settles: StateEntry[] = []
    const line = encodeLine(`"requestId":"req","pad":"${'x'.repeat(20_000)}"`)
    for (let at = 0; journal.takesHolds; at++) {
      expect(at).toBeLessThan(100)
      journal.append({ type: 'call', id: 'req', at, line })
      settles.push({ type: 'settle', id: `req_${at}`, at, charges: [] })
      journal.append(settles.at(-1) as StateEntry)
      await journal.written()
    }
    for (let at = 1000; at < 1100; at++) {
      journal.append({ type: 'call', id: 'req', at, line })
      settles.push({ type: 'settle', id: `req_${at}`, at, charges: [] })
      journal.append(settles.at(-1) as StateEntry)
      await journal.written()
    }
    expect(troubles).toEqual(['disk_full'])
    expect(journal.state.unwrittenCalls).toBeGreaterThanOrEqual(101)
    expect(await settledIn(disk.path)).toEqual(settles)
    await rm(join(disk.path, 'others'))
    await expect.poll(() => journal.takesHolds).toBe(true)
    journal.append({ type: 'call', id: 'req', at: 2000, line })
    await journal.written()
    expect(troubles).toEqual(['disk_full', 'disk_free_again'])
    expect((await linesIn(disk.path)).at(-1)).toMatchObject({ type: 'call', at: 2000 })
    expect(journal.state.isDiskFull).toBe(false)
  },
)

/** Fills the remaining space. */
async function fill(path: string): Promise<void> {
  for (let bytes = 256 * 1024; bytes >= 4096; ) {
    try {
      await writeFile(path, Buffer.alloc(bytes), { flag: 'a' })
    } catch {
      bytes /= 2
    }
  }
}

async function settledIn(directory: string): Promise<readonly unknown[]> {
  return (await linesIn(directory)).filter(({ type }) => type === 'settle')
}

async function linesIn(directory: string): Promise<readonly { readonly type: string }[]> {
  const lines: { readonly type: string }[] = []
  for (const { segment } of await listSegments(directory)) {
    const { frames, damaged } = readFrames(await readFile(segmentPath(directory, segment)), true)
    expect(damaged).toBe(0)
    for (const { text } of frames) lines.push(JSON.parse(text) as { type: string })
  }
  return lines
}
