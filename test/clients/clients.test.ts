import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../acceptance/gateway-process.ts'
import { clients } from './clients.ts'
import { features } from './features.ts'
import { perform } from './perform.ts'
import { legend, rowOf, tableOf } from './table.ts'

const page = readFileSync(join(repository, 'docs/clients.md'), 'utf8')

const all = clients.map((client) => {
  const program = client.program()
  const name = `${client.name.replaceAll('`', '')} in ${client.runs}`
  return { title: 'missing' in program ? `${name} (skipped: ${program.missing})` : name, client, program }
})

describe.concurrent('other people’s clients are well served, and the documentation says how', () => {
  for (const { title, client, program } of all) {
    test.skipIf('missing' in program)(title, async ({ expect }) => {
      if ('missing' in program) return
      const performance = await perform(client, program)
      expect(performance.faults).toEqual([])
      expect(page).toContain(`${rowOf(client, performance)}\n`)
    })
  }
})

test('the documentation has the table’s heads, its legend and no client that is not run', () => {
  const rows = (text: string) => text.match(/^\| .* \| 3 tries \| 3 tries \| .* \|$/gm)
  expect(page).toContain(tableOf([]))
  expect(rows(page)).toHaveLength(clients.length)
  expect(page).toContain(legend())
  expect(features.length).toBeGreaterThan(10)
})
