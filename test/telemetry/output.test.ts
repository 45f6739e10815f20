import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeLine } from '../../src/core/model/record/line-writer.ts'
import { createOutput } from '../../src/telemetry/output.ts'

describe('logged lines', () => {
  test.for([
    ['line by line', 0],
    ['in batches', 1000],
    ['never before the end', 10_000_000],
  ] as const)('%s are written completely and in order', async ([, batchBytes]) => {
    await using file = openFile()
    const lines = Array.from({ length: 5000 }, (_, number) => `${number} ${'x'.repeat(number % 90)} é\n`)
    {
      await using output = createOutput({ descriptor: file.descriptor, batchBytes, waitMs: 60_000 })
      for (const [number, line] of lines.entries()) {
        if (number % 3 === 0) output.write(line)
        else if (number % 3 === 1) output.writeBytes(Buffer.from(line))
        else output.writeMembers(line.slice(0, 3), encodeLine(line.slice(3, -1)), '\n')
        if (number % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    expect(readFileSync(file.path, 'utf8')).toBe(lines.join(''))
  })

  test('are written even if no other follows', async () => {
    await using file = openFile()
    await using output = createOutput({ descriptor: file.descriptor, batchBytes: 1000, waitMs: 1 })
    output.write('alone\n')
    await expect.poll(() => readFileSync(file.path, 'utf8')).toBe('alone\n')
  })

  test('to a closed reader are dropped without an error', async () => {
    const file = openFile()
    const output = createOutput({ descriptor: file.descriptor, batchBytes: 0, waitMs: 60_000 })
    await file[Symbol.asyncDispose]()
    output.write('to nobody\n')
    await output[Symbol.asyncDispose]()
  })

  test('that wait are dropped beyond a limit, if the reader is too slow', async () => {
    await using file = openFile()
    const output = createOutput({ descriptor: file.descriptor, batchBytes: 1e9, waitMs: 60_000 })
    const line = `${'x'.repeat(1024 * 1024)}\n`
    for (let count = 0; count < 40; count++) output.write(line)
    output.write('last\n')
    await output[Symbol.asyncDispose]()
    const written = readFileSync(file.path, 'utf8')
    expect(written.length).toBeLessThan(20 * 1024 * 1024)
    expect(written.endsWith('last\n')).toBe(true)
  })
})

function openFile(): AsyncDisposable & { readonly descriptor: number; readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'output-'))
  const path = join(directory, 'log')
  const descriptor = openSync(path, 'w')
  let isOpen = true
  return {
    descriptor,
    path,
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      closeSync(descriptor)
      rmSync(directory, { recursive: true })
    },
  }
}
