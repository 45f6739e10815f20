import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cases } from '../../test/chaos/cases.ts'
import { pageOf } from '../../test/chaos/page.ts'
import { openCommonStage, play, titleOf } from '../../test/chaos/play.ts'
import { readOptions } from './options.ts'

/**
 * The chaos suite in its long form: every case, callers who leave by the thousand, and a soak of minutes. When all came
 * as it should, the page of the documentation is written. A case that fails makes the exit code 1.
 */
async function main(words: readonly string[]): Promise<number> {
  const { only, ...options } = readOptions(words)
  const chosen = cases.filter((one) => only === undefined || one.fault === only)
  const notes: string[] = []
  const wrong: string[] = []
  await using common = await openCommonStage(options)
  for (const one of chosen) {
    const title = titleOf(one)
    try {
      notes.push(...(await play(one, common, options)))
      console.log(`holds   ${title}`)
    } catch (thrown) {
      wrong.push(`${title}\n  ${thrown instanceof Error ? thrown.stack : thrown}`)
      console.log(`FAILS   ${title}`)
    }
  }
  notes.unshift(...common.notes)
  for (const note of notes) console.log(`\n${note}`)
  for (const line of wrong) console.error(`\n${line}`)
  if (wrong.length > 0) return 1
  if (only === undefined && options.isLong) writePage(pageOf(cases, notes))
  return 0
}

function writePage(page: string): void {
  const path = fileURLToPath(new URL('../../docs/faults.md', import.meta.url))
  mkdirSync(fileURLToPath(new URL('../../docs', import.meta.url)), { recursive: true })
  writeFileSync(path, page)
  console.log(`\nWritten to ${path}`)
}

process.exitCode = await main(process.argv.slice(2))
