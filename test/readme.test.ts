import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileVariable, textVariable, variables } from '../src/config/source/environment.ts'
import { behaviours, patternOf } from '../src/simulator/script/behaviours.ts'
import { endGroup, runShell, shellEnvironment, startChild } from './acceptance/child.ts'
import { type GatewayProcess, repository, runGateway, startGateway } from './acceptance/gateway-process.ts'
import { checkInference } from './acceptance/openai/shape.ts'
import { checkStream } from './acceptance/openai/stream-shape.ts'
import { isPythonPrepared, python } from './clients/machine.ts'

const readme = readFileSync(join(repository, 'README.md'), 'utf8')
const page = (name: string) => readFileSync(join(repository, 'docs', name), 'utf8')
const pageNames = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'))
/** Everything that tells people what to run. */
const told = [readme, ...pageNames.map(page)].join('\n')

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGateway({ environment: { SLOW_THRESHOLD_MS: '60000' } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

describe('what the README and the docs say to run', () => {
  test('is there for each client it names', () => {
    expect(blocksFor('curl').length).toBeGreaterThanOrEqual(2)
    for (const client of ["from 'openai'", "from '@langchain/openai'"]) {
      expect(blocksFor('node').some(({ block }) => block.includes(client))).toBe(true)
    }
    for (const client of ['from openai', 'from langchain_openai']) {
      expect(blocksFor('python').some(({ block }) => block.includes(client))).toBe(true)
    }
  })

  test.for(blocksFor('curl'))('works in a shell: $name', async ({ block }) => {
    const { code, stdout } = await runShell(addressed(block))
    expect(code).toBe(0)
    if (block.includes('"stream":true')) {
      checkStream(stdout, { includesUsage: false, choiceCount: 1, isWhole: true })
    } else checkInference(JSON.parse(stdout))
    expect(stdout).toContain('simulator')
  })

  test.for(blocksFor('node'))('works in Node.js: $name', async ({ block }) => {
    const options = { cwd: repository, environment: shellEnvironment(), input: addressed(block) }
    const { code, stdout, stderr } = await startChild(process.execPath, ['--input-type=module', '-'], options)
      .ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.match(/Hello from the simulator/g)?.length).toBeGreaterThanOrEqual(2)
  })

  test.skipIf(!isPythonPrepared).for(blocksFor('python'))(
    'works in Python (skipped until test/clients/prepare.sh was run): $name',
    async ({ block }) => {
      const options = { environment: {}, input: addressed(block) }
      const { code, stdout, stderr } = await startChild(python, ['-'], options).ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('Hello from the simulator')
    },
  )

  test('is answered as it shows', async () => {
    const [asked] = blocksFor('curl')
    const shown = JSON.parse(/```json\n(\{.*\})\n```/.exec(readme)?.[1] ?? 'null')
    const { stdout } = await runShell(addressed(asked?.block ?? ''))
    const answer = JSON.parse(stdout)
    expect(shown).toEqual({ ...answer, output: '...', usage: expect.anything() })
    expect(Object.keys(shown.usage)).toEqual(Object.keys(answer.usage))
  })
})

describe('the first page', () => {
  test('fits on one', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(150)
  })
})

describe('docs/architecture.md', () => {
  test('names files and rooms that exist', () => {
    const text = page('architecture.md')
    const files = [...text.matchAll(/`((?:core|http|dialects|providers|telemetry)\/[\w/-]+\.ts)`/g)].map(
      ([, path = '']) => path,
    )
    expect(files.length).toBeGreaterThan(15)
    for (const file of files) expect(existsSync(join(repository, 'src', file)), file).toBe(true)
  })
})

describe('the two commands', () => {
  test('are there', () => {
    expect(readme).toContain('```sh\nnpm ci && npm start\n```')
    expect(readme).toContain('`npm cit`')
  })

  test('serve: npm start', async () => {
    // What a developer has in .env is blanked, so that no call of this test leaves the machine.
    const keys = { PANDOTATE_API_KEY: '', TOGETHER_API_KEY: '', BASETEN_API_KEY: '', RUNPOD_API_KEY: '' }
    const blanks = { ...keys, RUNPOD_ENDPOINT_ID: '', PANDOTATE_URL: '', GATEWAY_CONFIG: '' }
    const environment = { ...shellEnvironment(), ...blanks, HOST: '127.0.0.1', PORT: '0' }
    const npm = startChild('npm', ['start'], { cwd: repository, environment, leads: true })
    try {
      const url = await npm.until(() => /serves on (http:\S+)/.exec(npm.stderr())?.[1])
      const response = await fetch(`${url}/health`)
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ status: 'ok' })
    } finally {
      await endGroup(npm)
    }
  })
})

describe('what docs/configuration.md says of the environment', () => {
  const table = [...page('configuration.md').matchAll(/^\| (`[A-Z_`, ]+`) \|(.*?) \|/gm)].flatMap(
    ([, names = '', defaults = '']) => {
      const values = codesIn(defaults)
      return codesIn(names).map((name, at): [string, string] => [name, values[at] ?? ''])
    },
  )

  test('is what .env.example has, with the same defaults', () => {
    const example = readFileSync(join(repository, '.env.example'), 'utf8')
    const lines = [...example.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]): unknown => [
      name,
      value,
    ])
    expect(table.length).toBeGreaterThan(8)
    expect(new Map(table)).toEqual(new Map(lines as [string, string][]))
  })

  test('is what the gateway reads', () => {
    const read = [...variables.map(({ name }) => name), fileVariable, textVariable]
    expect(table.map(([name]) => name).toSorted()).toEqual(read.toSorted())
  })

  test('holds: its gateway.yaml is one', async () => {
    const file = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    expect(file).toContain('deployments')
    const environment = { GATEWAY_KEY: 'sk-gateway-0123456789', PANDOTATE_API_KEY: 'pk_x' }
    const { code, stdout, stderr } = await runGateway(['check'], { file, environment })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('mistralai/Mistral-7B-Instruct-v0.3')
  })
})

describe('what the pages list', () => {
  test('has everything the simulator can be told to do', () => {
    const [, table = ''] =
      /<!-- generated: behaviours -->\n([\s\S]*?)<!-- \/generated -->/.exec(page('simulator.md')) ?? []
    const missing = behaviours.filter(
      (behaviour) => !table.includes(`\`${patternOf(behaviour)}\``) || !table.includes(behaviour.does),
    )
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  test('has every package that the gateway stands on, and no other', () => {
    const section = /## Dependencies\n([\s\S]*)$/.exec(page('architecture.md'))?.[1] ?? ''
    const listed = [...section.matchAll(/^\| ([a-z@][^|]*?) \|/gm)].flatMap(([, names = '']) =>
      names.split(', '),
    )
    const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    expect(listed.filter((name) => name !== 'package').toSorted()).toEqual(
      Object.keys(dependencies).toSorted(),
    )
  })

  test('has files that exist', () => {
    const linksIn = (text: string) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
    expect(linksIn(readme).length).toBeGreaterThan(10)
    for (const link of linksIn(readme)) expect(existsSync(join(repository, link)), link).toBe(true)
    for (const name of pageNames) {
      for (const link of linksIn(page(name)))
        expect(existsSync(join(repository, 'docs', link)), link).toBe(true)
    }
  })
})

/** The blocks that are marked to be run by a client, in their order. */
function blocksFor(client: 'curl' | 'node' | 'python'): readonly { name: string; block: string }[] {
  const pattern = new RegExp(`<!-- run: ${client} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g')
  const blocks = [...told.matchAll(pattern)].map(([, block = '']) => block)
  return blocks.map((block) => ({ name: block.split('\n')[0] ?? '', block }))
}

/** The block as it stands, but for the address. */
function addressed(block: string): string {
  return block.replaceAll('localhost:8000', new URL(gateway.url).host)
}

function codesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)
}
