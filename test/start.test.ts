import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startChild } from './acceptance/child.ts'
import { repository, startFaster, startFile } from './acceptance/gateway-process.ts'

const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
const needed: string = engines.node.replace('>=', '')

describe.concurrent('a runtime that is too old', () => {
  test.for(['20.20.2', '22.19.0', '24.18.0', '24.9.9', '23.99.99', '18.0.0'])(
    'such as %s is told what is needed, and is not run on',
    async (version) => {
      const { code, stdout, stderr } = await startAs(version)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(`needs Node.js ${needed} or later; this is ${version}.`)
      expect(stderr).toContain('npm start')
      expect(stderr).not.toMatch(/^\s+at /m)
    },
  )

  test.for(['24.18.1', '24.19.0', '100.0.0', '25.0.0-nightly20261101'])(
    'is not what %s is',
    async (version) => {
      const { code, stdout, stderr } = await startAs(version)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('npm start')
    },
  )

  test('is told how to get the one that was left out, where NODE_ENV is production', async () => {
    const { code, stderr } = await startAs('20.20.2', { NODE_ENV: 'production' })
    expect(code).toBe(1)
    expect(stderr).toContain('npm ci --include=dev')
  })

  const installed = olderNode()
  test.skipIf(installed === undefined)(
    'is told so when it really is one (skipped where the machine has none)',
    async () => {
      const { code, stdout, stderr } = await startChild(installed ?? '', [startFile, 'serve'], {
        environment: {},
      }).ended
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(`needs Node.js ${needed} or later`)
      expect(stderr).not.toMatch(/SyntaxError|^\s+at /m)
    },
  )
})

test('the file that tells it has no syntax younger than what it tells of', () => {
  const source = readFileSync(startFile, 'utf8')
  const young = [
    /^import\b/m,
    /\bwith\s*\{/,
    /\?\?=|\|\|=|&&=/,
    /\busing\s/,
    /#\w+\s*[=(]/,
    /\.(at|toSorted|toReversed|findLast|hasOwn)\(/,
    /:\s*(string|number|boolean|unknown)\b/,
  ]
  for (const pattern of young) expect(source).not.toMatch(pattern)
})

/** Prints the help, believing to be another version. */
function startAs(version: string, environment: Record<string, string> = {}) {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`
  const pretence = `Object.defineProperty(process, 'versions', ${versions})`
  const words = [`--import=data:text/javascript,${encodeURIComponent(pretence)}`, startFile, 'help']
  return startChild(process.execPath, words, { environment: { ...startFaster, ...environment } }).ended
}

/** A Node.js of the machine's own that this project did not bring; undefined where there is none, or a new one. */
function olderNode(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = directories
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'))
  return candidates.find((path) => existsSync(path) && isOlder(path))
}

function isOlder(path: string): boolean {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' })
  return Number(/^v(\d+)\./.exec(version)?.[1]) < Number(needed.split('.')[0])
}
