import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cases } from './cases.ts'
import { faultTitles } from './fault-case.ts'
import type { Stage } from './harness.ts'
import { tableOf } from './page.ts'
import { openCommonStage, play, titleOf } from './play.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openCommonStage()
})
afterAll(() => stage[Symbol.asyncDispose]())

test.for(cases.map((one) => [titleOf(one), one] as const))('%s', async ([, one]) => {
  await play(one, stage)
})

test('all forty have cases, and no two the same name', () => {
  expect(new Set(cases.map(({ fault }) => fault))).toEqual(new Set(faultTitles.map((_title, at) => at + 1)))
  expect(new Set(cases.map(titleOf)).size).toBe(cases.length)
})

test('the table in the documentation has these cases and no others', () => {
  const page = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8')
  expect(
    page
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .join('\n'),
  ).toBe(tableOf(cases))
})
