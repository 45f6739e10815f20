import { chmodSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Removes the files of node_modules that a running gateway does not read, and creates the empty folders of the image.
const build = fileURLToPath(new URL('../..', import.meta.url))

const unread = [
  // Only its types are used.
  'node_modules/openai',
  // Other builds of the same code.
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
// mkdir applies the umask to its mode.
chmodSync(`${build}/image/writable/data`, 0o775)
