import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { translationPage } from '../../../bench/docs/page.ts'

test('docs/translation.md is what `node bench/docs/translation.ts` writes', async () => {
  const page = await readFile(new URL('../../../docs/translation.md', import.meta.url), 'utf8')
  expect(page).toBe(await translationPage())
})
