import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gatewayYaml, knownProviders } from '../../src/cli/init/gateway-yaml.ts'
import { recipes, recipeText } from '../../src/cli/init/recipes.ts'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { type Exit, startChild } from '../acceptance/child.ts'
import { startFaster, startFile } from '../acceptance/gateway-process.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-init-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const together = { TOGETHER_API_KEY: 'tg-0123456789' }

describe('init, where nobody is asked', () => {
  test('writes a configuration for the keys it finds, and a key that this user alone can read', async () => {
    const { code, stdout, stderr } = await run(['init', '--client', 'claude-code'], together)
    expect(code).toBe(0)
    expect(read('gateway.yaml')).toContain(`  together:\n    apiKey: \${TOGETHER_API_KEY}\n`)
    expect(read('gateway.yaml')).not.toContain('tg-')
    const [, key = ''] = /^GATEWAY_KEY=(sk-\S{32})\n$/.exec(read('.env')) ?? []
    expect(statSync(join(directory, '.env')).mode & 0o777).toBe(0o600)
    expect(stdout).toContain(`export ANTHROPIC_AUTH_TOKEN=${key}`)
    expect(stdout).not.toMatch(/ANTHROPIC_MODEL=\S*[*/]/)
    expect(stderr).toContain('Created a key')
    expect((await run(['check'], together)).code).toBe(0)
  })

  test('keeps what .env has, and a key that is there already: that one is not printed', async () => {
    writeFileSync(join(directory, '.env'), 'OTHER=1\nGATEWAY_KEY=sk-of-mine-0123456789\n')
    const { stdout, stderr } = await run(['init', '--client', 'all'], together)
    expect(read('.env')).toBe('OTHER=1\nGATEWAY_KEY=sk-of-mine-0123456789\n')
    expect(stdout).toContain('export OPENAI_API_KEY=$GATEWAY_KEY')
    expect(stdout + stderr).not.toContain('sk-of-mine')
  })

  test('adds the key to a .env without one', async () => {
    writeFileSync(join(directory, '.env'), 'OTHER=1')
    await run(['init'], together)
    expect(read('.env')).toMatch(/^OTHER=1\nGATEWAY_KEY=sk-\S+\n$/)
  })

  test('touches nothing where there is a gateway.yaml, unless it is forced to', async () => {
    writeFileSync(join(directory, 'gateway.yaml'), 'strict: true\n')
    const { code, stderr } = await run(['init'], together)
    expect(code).toBe(2)
    expect(stderr).toContain('--force')
    expect(read('gateway.yaml')).toBe('strict: true\n')
    expect((await run(['init', '--force'], together)).code).toBe(0)
    expect(read('gateway.yaml')).toContain('together')
  })

  test('says which key is still missing for a provider that is named', async () => {
    const { code, stderr } = await run(['init', '--provider', 'groq', '--open', '--port', '9000'], {})
    expect(code).toBe(0)
    expect(stderr).toContain('GROQ_API_KEY is not set')
    expect(read('gateway.yaml')).toContain('host: 0.0.0.0\n  port: 9000\n')
  })

  test.for([
    ['--provider', 'grok'],
    ['--client', 'emacs'],
    ['--port', '0'],
  ])('takes no %s %s', async ([option = '', value = '']) => {
    const { code, stderr } = await run(['init', option, value], {})
    expect(code).toBe(2)
    expect(stderr).toContain(value)
  })

  test('without any key sets up the simulator, which answers at once', async () => {
    await run(['init'], {})
    const { stdout } = await run(['check'], {})
    expect(stdout).toContain('simulator')
  })
})

test('init asks a person three questions', async () => {
  const command = `${process.execPath} ${startFile} init`
  const environment = { PATH: process.env['PATH'] ?? '', ...startFaster, ...together }
  const input = '\nothers\ncodex\n'
  const script = startChild('script', ['-qec', command, '/dev/null'], { cwd: directory, environment, input })
  const { code, stdout } = await script.ended
  expect(code).toBe(0)
  expect(stdout).toContain('Which providers do you use?')
  expect(stdout).toContain('[together]')
  expect(stdout).toContain('Serve this machine')
  expect(stdout).toContain('Which client')
  expect(read('gateway.yaml')).toContain('host: 0.0.0.0')
  expect(stdout).toContain('wire_api = "responses"')
})

describe('what is written', () => {
  const some = [[], ...knownProviders.map((one) => [one]), knownProviders.slice(0, 2), knownProviders]
  const named = some.map((chosen) => ({ chosen, title: chosen.map(({ name }) => name).join(', ') || 'none' }))

  test.for(named)('is a configuration, and its providers are those chosen: $title', ({ chosen }) => {
    const yaml = gatewayYaml({ providers: chosen, isOpen: true, port: 8000 })
    const variables = [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
    const environment = Object.fromEntries(variables.map((name) => [name, `value-of-${name}`]))
    const readFile = (path: string) => {
      if (path === 'gateway.yaml') return yaml
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    }
    const config = loadConfig({ environment, readFile, providers })
    const names = config.providers.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(chosen.map(({ name }) => name)))
    expect(config.keys).toEqual(['value-of-GATEWAY_KEY'])
    expect(config.routes.length).toBeGreaterThan(0)
  })

  test('tells every client the address, the key and the model in its own way', () => {
    const place = { url: 'http://h:1', key: 'sk-x', model: 'm-1', contextTokens: 1234, outputTokens: 567 }
    for (const recipe of recipes) {
      const text = recipeText(recipe, place)
      expect(text, recipe.id).toContain('http://h:1')
      expect(text, recipe.id).toContain('sk-x')
      if (recipe.id !== 'openai') expect(text, recipe.id).toContain('m-1')
    }
  })
})

function run(words: readonly string[], environment: Record<string, string>): Promise<Exit> {
  const { PATH = '' } = process.env
  const given = { PATH, ...startFaster, ...environment }
  return startChild(process.execPath, [startFile, ...words], { cwd: directory, environment: given }).ended
}

function read(name: string): string {
  return readFileSync(join(directory, name), 'utf8')
}
