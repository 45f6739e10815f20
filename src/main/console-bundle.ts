import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { ConsoleAsset, ConsoleBundle } from '../http/routes/console.ts'

/** The files that a browser needs for the console. Built from source, or read ready-made from a package. */
export const consoleFolder = new URL('../console/', import.meta.url)

/** The files of a package, by name, including the HTML document. */
export type MadeFiles = ReadonlyMap<string, Buffer>

export const pageName = 'page.html'

/** Reads the ready-made files of a package. Undefined in a checkout, which has none. */
export function readMade(folder: URL): MadeFiles | undefined {
  const made = new URL('made/', folder)
  if (!existsSync(made)) return undefined
  return new Map(readdirSync(made).map((name) => [name, readFileSync(new URL(name, made))]))
}

/** Builds them from source, in about 200 ms. Rejects if esbuild is not installed. */
export async function makeConsole(folder: URL): Promise<MadeFiles> {
  const { build, stop } = await import('esbuild')
  const path = fileURLToPath(folder)
  const { outputFiles } = await build({
    absWorkingDir: path,
    entryPoints: ['main.tsx'],
    outdir: path,
    entryNames: '[name]-[hash]',
    ...{ bundle: true, minify: true, write: false, charset: 'utf8', legalComments: 'none' },
    ...{ format: 'esm', target: ['es2023'], jsx: 'automatic', jsxImportSource: 'preact' },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  await stop()
  const icon = readFileSync(new URL('icon.svg', folder))
  const files = new Map<string, Buffer>([
    ...outputFiles.map(({ path: made, contents }) => [basename(made), Buffer.from(contents)] as const),
    [`icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8).toUpperCase()}.svg`, icon],
  ])
  return files.set(pageName, Buffer.from(pageOf(readFileSync(new URL('page.html', folder), 'utf8'), files)))
}

export function bundleOf(files: MadeFiles): ConsoleBundle {
  const assets = new Map<string, ConsoleAsset>()
  for (const [name, bytes] of files) {
    const type = types[extname(name)]
    if (name !== pageName && type !== undefined) {
      assets.set(name, { type, bytes, gzip: gzipSync(bytes, { level: 9 }) })
    }
  }
  return { page: String(files.get(pageName)), assets }
}

/** Inserts the names of the files to load: `%main.js%` becomes `main-ABCD1234.js`. */
function pageOf(template: string, files: MadeFiles): string {
  return template.replace(/%(\w+)\.(\w+)%/g, (_, stem, extension) => {
    const name = [...files.keys()].find((one) => one.startsWith(`${stem}-`) && one.endsWith(`.${extension}`))
    if (name === undefined) throw new TypeError(`The console has no ${stem}.${extension}.`)
    return `/console/assets/${name}`
  })
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
