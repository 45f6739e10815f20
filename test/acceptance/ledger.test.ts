import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFrames } from '../../src/ledger/journal/frame.ts'
import { listSegments, segmentPath } from '../../src/ledger/journal/segments.ts'
import { runGateway, startGateway } from './gateway-process.ts'

test('a call is in the journal before its caller has the last byte, whole or streamed, answered or refused', async () => {
  await using gateway = await startGateway()
  const journal = join(gateway.directory, 'data', 'journal')
  for (const body of [{ stream: false }, { stream: true }, { stream: false, n: 'many' }]) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...body }),
    })
    await response.text()
    const calls = await callsIn(journal)
    expect(calls.at(-1)).toMatchObject({
      requestId: response.headers.get('x-request-id'),
      status: response.status,
    })
  }
  expect((await stat(join(gateway.directory, 'data'))).mode & 0o777).toBe(0o700)
})

test('a second gateway in the same directory ends once it has waited, and names the owner', async () => {
  await using gateway = await startGateway()
  const { code, stderr } = await runGateway(['serve'], {
    environment: { DATA_DIR: join(gateway.directory, 'data') },
    file: 'drain: { graceMs: 200 }',
  })
  expect(code).toBe(1)
  expect(stderr).toContain(`in use by process ${gateway.pid} on `)
})

test('one that was given no directory serves without a ledger there, and says who has it', async () => {
  await using gateway = await startGateway()
  const other = await startGateway({ directory: gateway.directory })
  const warning = await other.line(({ msg }) => msg.startsWith('calls are recorded in the log alone'))
  expect(warning['reason']).toContain(`in use by process ${gateway.pid} on `)
  await other[Symbol.asyncDispose]()
})

/** The calls of a journal, in order. */
async function callsIn(directory: string): Promise<readonly Record<string, unknown>[]> {
  const calls: Record<string, unknown>[] = []
  for (const { segment } of await listSegments(directory)) {
    const { frames } = readFrames(await readFile(segmentPath(directory, segment)), false)
    for (const { text } of frames) calls.push(JSON.parse(text) as Record<string, unknown>)
  }
  return calls.filter(({ type }) => type === 'call')
}
