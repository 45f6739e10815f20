import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, type Exit, runShell, shellEnvironment, startChild } from '../acceptance/child.ts'
import { repository } from '../acceptance/gateway-process.ts'
import { type InstalledPackage, installPackage } from './installed-package.ts'

let installed: InstalledPackage
beforeAll(() => {
  installed = installPackage()
})
afterAll(() => installed[Symbol.dispose]())

describe('the package', () => {
  test('holds JavaScript and its declarations, and none of what it was made from', () => {
    const files = globSync('**/*', { cwd: installed.root, exclude: ['node_modules'] })
    const odd = files.filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'))
    expect(odd).toEqual([])
    expect(files.filter((path) => /^(src|test|bench|docs|deploy)\b/.test(path))).toEqual([])
    const needed = ['dist/bin.js', 'dist/start.js', 'dist/embed.js', 'dist/embed.d.ts', 'dist/main.js']
    const papers = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'gateway.example.yaml']
    expect(files).toEqual(expect.arrayContaining([...needed, ...papers]))
  })

  test('names no file that it does not have', () => {
    const missing: string[] = []
    for (const path of globSync('dist/**/*.{js,d.ts}', { cwd: installed.root })) {
      const file = join(installed.root, path)
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(local)) {
        const target = join(dirname(file), name)
        const declared = path.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target
        if (!existsSync(declared)) missing.push(`${path}: ${name}`)
      }
    }
    expect(missing).toEqual([])
  })

  test('needs only what it depends on: every command starts', async () => {
    const { code, stdout } = await run(['help']).ended
    expect(code).toBe(0)
    expect(stdout).toContain('savings')
    expect((await run(['check']).ended).code).toBe(0)
    expect((await run(['frobnicate']).ended).code).toBe(2)
  })
})

/** A file that is imported, or started by its URL. */
const local = /(?:from|import|new URL)\s*\(?\s*['"](\.{1,2}\/[^'"]+\.[a-z.]+)['"]/g

describe('the command', () => {
  const passing = [
    ['takes the place of the process that npx started', []],
    ['is a child of it where that cannot be (Windows)', [hidden('execve')]],
  ] as const

  test.for(passing)('%s: it serves, and stops in good order', async ([, flags]) => {
    const child = run(['serve'], flags)
    const url = await served(child)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    const leaf = childOf(child.pid) ?? child.pid
    const given = readFileSync(`/proc/${leaf}/cmdline`, 'utf8')
      .split('\0')
      .filter((word) => word.startsWith('--'))
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
    expect(given).toEqual(scripts.start.split(' ').filter((word) => word.startsWith('--')))
    expect(leaf === child.pid).toBe(flags.length === 0)
    process.kill(child.pid, 'SIGTERM')
    const { code, stdout } = await child.ended
    expect(code).toBe(0)
    expect(stdout).toContain('"msg":"stopped"')
  })

  test('ends as its child ended', async () => {
    const child = run(['serve'], [hidden('execve')])
    await served(child)
    process.kill(childOf(child.pid) ?? 0, 'SIGKILL')
    expect((await child.ended).code).toBeNull()
  })

  const older = olderNode()
  test.skipIf(older === undefined)(
    'says what an old Node.js lacks, and how to run it anyway (skipped without an old Node.js)',
    async () => {
      const { code, stderr } = await startChild(older ?? '', [installed.bin, 'serve'], { environment: {} })
        .ended
      expect(code).toBe(1)
      expect(stderr).toContain('needs Node.js 24.18.1 or later')
      expect(stderr).toContain('npx -p node@24 -p pandotate-gateway pandotate-gateway')
      expect(stderr).not.toMatch(/SyntaxError|^\s+at /m)
    },
  )
})

describe('what the README says to run', () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/<!-- run: (curl|node) -->\n```\w+\n([\s\S]*?)```/g)]
    .map(([, client = '', block = '']) => ({ client, block, name: block.split('\n')[0] ?? '' }))
    // A client of its own is installed beside it.
    .filter(({ block }) => !block.includes('@langchain'))

  let gateway: Child
  let url = ''
  beforeAll(async () => {
    gateway = run(['serve'])
    url = await served(gateway)
  })
  afterAll(async () => {
    process.kill(gateway.pid, 'SIGTERM')
    await gateway.ended
  })

  test('is there', () => {
    expect(new Set(blocks.map(({ client }) => client))).toEqual(new Set(['curl', 'node']))
  })

  test.for(blocks)('works from the empty folder: $name', async ({ client, block }) => {
    const text = block.replaceAll('localhost:8000', new URL(url).host)
    const place = { cwd: installed.folder, environment: shellEnvironment() }
    const asked =
      client === 'curl'
        ? runShell(text, place)
        : startChild(process.execPath, ['--input-type=module', '-'], { ...place, input: text }).ended
    const { code, stdout } = await asked
    expect(code).toBe(0)
    expect(stdout).toContain('simulator')
  })
})

describe('its workers', () => {
  test('are files of their own that start: the ledger takes a call in', async () => {
    const gateway = run(['serve'], [], { DATA_DIR: 'ledger' })
    const url = await served(gateway)
    const body = JSON.stringify({ model: 'sim-echo', prompt: 'Hello' })
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(`${url}/v1/completions`, { method: 'POST', headers, body })).status).toBe(200)
    let shipped = 0
    while (shipped === 0) {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      shipped = Number(/^pandotate_ledger_shipped_calls_total (\d+)$/m.exec(metrics)?.[1] ?? 'NaN')
    }
    expect(shipped).toBe(1)
    process.kill(gateway.pid, 'SIGTERM')
    expect((await gateway.ended).code).toBe(0)
  })
})

describe('a program that embeds it', () => {
  test('starts it, gets the record of each call, and stops it', async () => {
    const program = `
      import { readConfig, startGateway } from 'pandotate-gateway'
      const records = []
      const yaml = "models: { mistral-7b: { deployments: [{ provider: simulator }] } }\\nstrict: true"
      const config = readConfig({ environment: { PORT: '0', LOG_LEVEL: 'silent' }, yaml })
      const gateway = await startGateway(config, { sinks: [{ write: (record) => records.push(record) }] })
      const body = JSON.stringify({ model: 'mistral-7b', prompt: 'Hello', max_tokens: 5 })
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(gateway.url + '/v1/completions', { method: 'POST', headers, body })
      await response.json()
      await gateway.stop()
      console.log(JSON.stringify([response.status, config.strict, records.map(({ status }) => status)]))`
    const { stdout, stderr } = await embed(program, shellEnvironment())
    expect({ stdout, stderr }).toEqual({ stdout: '[200,true,[200]]\n', stderr: '' })
  })

  test('may be the one of the documentation', async () => {
    const [, block = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/deploy/README.md', 'utf8')) ?? []
    const environment = { ...shellEnvironment(), PORT: '0', LOG_LEVEL: 'silent' }
    const { stdout, stderr } = await embed(block, environment)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/)
  })

  test('has its types', () => {
    const program = `
      import { type CallRecord, type Config, ConfigError, readConfig, type RunningGateway, startGateway } from 'pandotate-gateway'
      const config: Config = readConfig({ environment: { PORT: '0' } })
      const sink = { write: (record: CallRecord) => void record.status.toFixed() }
      export const running: Promise<RunningGateway> = startGateway(config, { sinks: [sink] })
      export const port: number = config.port
      // @ts-expect-error It is a number.
      export const wrong: string = config.port
      export const isKnown = (thrown: unknown) => thrown instanceof ConfigError && thrown.lines.length`
    writeFileSync(join(installed.folder, 'program.ts'), program)
    const compiler = join(repository, 'node_modules/typescript/bin/tsc')
    const types = ['--typeRoots', join(repository, 'node_modules/@types'), '--types', 'node']
    const words = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'esnext']
    const place = { cwd: installed.folder, encoding: 'utf8' } as const
    expect(execFileSync(process.execPath, [compiler, ...words, ...types, 'program.ts'], place)).toBe('')
  })
})

/** Runs a program of its own in the empty folder. */
function embed(program: string, environment: Readonly<Record<string, string>>): Promise<Exit> {
  writeFileSync(join(installed.folder, 'program.mjs'), program)
  return startChild(process.execPath, ['program.mjs'], { cwd: installed.folder, environment }).ended
}

/** Runs the command as npx would, in the empty folder. */
function run(
  words: readonly string[],
  flags: readonly string[] = [],
  given: Readonly<Record<string, string>> = {},
): Child {
  const environment = { ...shellEnvironment(), HOST: '127.0.0.1', PORT: '0', ...given }
  return startChild(process.execPath, [...flags, installed.bin, ...words], {
    cwd: installed.folder,
    environment,
  })
}

async function served(child: Child): Promise<string> {
  return await child.until(() => /serves on (http:\S+)/.exec(child.stderr())?.[1])
}

/** A flag that has Node.js lack one of `process`'s functions. */
function hidden(name: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(`delete process.${name}`)}`
}

function childOf(pid: number): number | undefined {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return first === undefined ? undefined : Number(first)
}

/** A Node.js of the machine's own that is too old; undefined where there is none. */
function olderNode(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const paths = directories.filter((one) => !one.includes('node_modules')).map((one) => join(one, 'node'))
  return paths.find((path) => {
    if (!existsSync(path)) return false
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' })
    return Number(/^v(\d+)\./.exec(version)?.[1]) < 24
  })
}
