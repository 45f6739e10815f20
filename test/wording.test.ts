import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Phrases that make a reader of this field stop: CONTRIBUTING.md asks for plain words. */
const riddles =
  /\b(told of|whoever|anew|of late(?!\))|by lot|in (?:its|their|his) stead|of no account|at hand|has it so|to be had|nobody (?:here )?knows)\b/i

test('comments, errors and settings are in plain words', () => {
  const files = [
    ...globSync('src/**/*.{ts,tsx}'),
    'README.md',
    'CONTRIBUTING.md',
    'gateway.example.yaml',
    '.env.example',
  ]
  expect(files.length).toBeGreaterThan(300)
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, at) => (riddles.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})
