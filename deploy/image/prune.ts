import { chmodSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Takes out of node_modules what no running gateway reads, and makes the empty folders of the image.
const build = fileURLToPath(new URL('../..', import.meta.url))

const unread = [
  // Its types alone are used.
  'node_modules/openai',
  // The same code in other forms.
  'node_modules/gpt-tokenizer/{cjs,src,data}',
  'node_modules/zod/src',
  'node_modules/.package-lock.json',
  'node_modules/**/*.{d.ts,d.mts,d.cts,map,md}',
  'dist/**/*.d.ts',
]

for (const path of globSync(unread, { cwd: build }))
  rmSync(`${build}/${path}`, { recursive: true, force: true })
mkdirSync(`${build}/image/gateway`, { recursive: true })
mkdirSync(`${build}/image/writable/data`, { recursive: true })
// Whatever the umask is.
chmodSync(`${build}/image/writable/data`, 0o775)
