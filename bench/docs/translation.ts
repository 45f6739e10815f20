import { writeFile } from 'node:fs/promises'
import { translationPage } from './page.ts'

await writeFile(new URL('../../docs/translation.md', import.meta.url), await translationPage())
