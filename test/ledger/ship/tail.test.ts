import { appendFile, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { frameOf } from '../../../src/ledger/journal/frame.ts'
import { segmentPath } from '../../../src/ledger/journal/segments.ts'
import { openTail, type Tail } from '../../../src/ledger/ship/tail.ts'
import { makeDirectory } from '../directory.ts'

test('reads existing lines, then appended ones, over segments', async () => {
  await using directory = await makeDirectory()
  const path = (segment: number) => segmentPath(directory.path, segment)
  await writeFile(path(1), Buffer.concat([frameOf('one'), frameOf('two')]))
  await using tail = openTail(directory.path, undefined)
  expect(await textsOf(tail)).toEqual(['one', 'two'])
  expect(await textsOf(tail)).toEqual([])
  const three = frameOf('three')
  await appendFile(path(1), three.subarray(0, 20))
  expect(await textsOf(tail)).toEqual([])
  await appendFile(path(1), three.subarray(20))
  expect(await textsOf(tail)).toEqual(['three'])
  await writeFile(path(2), '')
  expect(await textsOf(tail)).toEqual([])
  await appendFile(path(2), frameOf('four'))
  expect(await textsOf(tail)).toEqual(['four'])
  expect(tail.position).toEqual({ segment: 2, offset: frameOf('four').length })
  expect(tail.damage).toEqual({ bytes: 0, segments: 0 })
})

test('continues at any line: each has its end position', async () => {
  await using directory = await makeDirectory()
  const texts = ['one', 'two', 'three', 'four']
  await writeFile(segmentPath(directory.path, 3), Buffer.concat(texts.map(frameOf)))
  await using tail = openTail(directory.path, undefined)
  const lines = await tail.next()
  for (const [index, { end }] of lines.entries()) {
    await using other = openTail(directory.path, end)
    expect(await textsOf(other)).toEqual(texts.slice(index + 1))
  }
})

test('a line may be longer than one read', async () => {
  await using directory = await makeDirectory()
  const long = 'x'.repeat(5_000_000)
  await writeFile(
    segmentPath(directory.path, 1),
    Buffer.concat([frameOf('one'), frameOf(long), frameOf('two')]),
  )
  await using tail = openTail(directory.path, undefined)
  expect([...(await textsOf(tail)), ...(await textsOf(tail)), ...(await textsOf(tail))]).toEqual([
    'one',
    long,
    'two',
  ])
})

test('bytes that are not a line are skipped once their segment is complete, and reported', async () => {
  await using directory = await makeDirectory()
  await writeFile(segmentPath(directory.path, 1), Buffer.concat([frameOf('one'), Buffer.from('torn')]))
  await using tail = openTail(directory.path, undefined)
  expect(await textsOf(tail)).toEqual(['one'])
  await writeFile(segmentPath(directory.path, 2), frameOf('two'))
  expect(await textsOf(tail)).toEqual(['two'])
  expect(tail.damage).toEqual({ bytes: 4, segments: 0 })
})

test('missing segments are reported', async () => {
  await using directory = await makeDirectory()
  for (const segment of [1, 2, 5])
    await writeFile(segmentPath(directory.path, segment), frameOf(String(segment)))
  await using tail = openTail(directory.path, { segment: 1, offset: 0 })
  expect([...(await textsOf(tail)), ...(await textsOf(tail)), ...(await textsOf(tail))]).toEqual([
    '1',
    '2',
    '5',
  ])
  expect(tail.damage).toEqual({ bytes: 0, segments: 2 })
  await rm(segmentPath(directory.path, 1))
})

async function textsOf(tail: Tail): Promise<readonly string[]> {
  return (await tail.next()).map(({ text }) => text)
}
