import { globSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { expect, test } from 'vitest'
import config from '../vitest.config.ts'

test('every test file is in exactly one suite', () => {
  const includes = (config.test?.projects ?? []).map((project) =>
    typeof project === 'object' && 'test' in project ? (project.test?.include ?? []) : [],
  )
  const files = globSync('test/**/*.test.ts')
  expect(files.length).toBeGreaterThan(250)
  const misplaced = files.filter(
    (file) =>
      includes.filter((patterns) => patterns.some((pattern) => matchesGlob(file, pattern))).length !== 1,
  )
  expect(misplaced).toEqual([])
})
