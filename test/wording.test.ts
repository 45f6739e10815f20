import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Phrases that make a reader of this field stop: CONTRIBUTING.md asks for plain words. */
const phrases = [
  'told of',
  'whoever',
  'anew',
  'of late(?!\\))',
  'by lot',
  'in (?:its|their|his) stead',
  'of no account',
  'at hand',
  'has it so',
  'to be had',
  'nobody (?:here )?knows',
  '(?:is|are|was|were) away',
  // The debug log has an event of this name.
  'goes on(?! to another attempt)',
  'went on',
  'as (?:it|they) c[ao]me',
  'all the same',
  'for who',
  'in vain',
  'hears? of',
  'knows nothing of',
]
const riddles = new RegExp(`\\b(?:${phrases.join('|')})\\b`, 'i')

test('comments, titles of tests, errors, settings and docs are in plain words', () => {
  const files = [
    ...globSync('src/**/*.{ts,tsx}'),
    ...globSync('{test,bench}/**/*.ts', { exclude: ['test/wording.test.ts'] }),
    ...globSync('docs/**/*.md'),
    ...globSync('deploy/**/*.{yml,yaml}'),
    'README.md',
    'CONTRIBUTING.md',
    'gateway.example.yaml',
    '.env.example',
  ]
  expect(files.length).toBeGreaterThan(1000)
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, at) => (riddles.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})
