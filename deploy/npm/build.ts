import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeConsole } from '../../src/main/console-bundle.ts'

// Builds dist/, the JavaScript in the npm package and the image: Node.js does not strip types under node_modules.
const repository = fileURLToPath(new URL('../..', import.meta.url))
const source = join(repository, 'src')
const target = join(repository, 'dist')
const pages = join(source, 'console')

rmSync(target, { recursive: true, force: true })
compile()
for (const path of globSync('**/*.{js,d.ts}', { cwd: target })) rewriteNames(join(target, path))
copyTheRest()
await makeThePages()
chmodSync(join(target, 'bin.js'), 0o755)

function compile(): void {
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  const words = ['--project', join(repository, 'deploy/npm/tsconfig.json')]
  execFileSync(process.execPath, [compiler, ...words], { stdio: 'inherit' })
}

/** The compiler renames what is imported; it leaves names in declarations, and files that are started by their URL. */
function rewriteNames(path: string): void {
  const text = readFileSync(path, 'utf8')
  const renamed = text
    .replace(/(new URL\(\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
    .replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
  if (renamed !== text) writeFileSync(path, renamed)
}

/** Pages, styles, statements in SQL: whatever else stands beside the code. */
function copyTheRest(): void {
  cpSync(source, target, {
    recursive: true,
    filter: (path) =>
      !path.startsWith(pages) && (extname(path) === '' || !['.ts', '.js'].includes(extname(path))),
  })
}

/** What browsers get of the console, ready-made: a package holds neither its source nor what makes it. */
async function makeThePages(): Promise<void> {
  const made = join(target, 'console/made')
  mkdirSync(made, { recursive: true })
  for (const [name, bytes] of await makeConsole(pathToFileURL(`${pages}/`)))
    writeFileSync(join(made, name), bytes)
}
