import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { runGateway, startGateway } from '../acceptance/gateway-process.ts'
import { openListingHost } from '../harness/listing-host.ts'
import { startRawServer } from '../harness/raw-server.ts'

describe('the prices in a check', () => {
  const file = (baseUrl: string) => `
providers:
  together: { baseUrl: '${baseUrl}' }
  runpod: { endpointId: abc }
models:
  a:
    deployments:
      - { provider: together, model: openai/gpt-oss-20b }
      - { provider: runpod, price: { gpu: H100 } }
      - { provider: together, price: { input: 1, output: 2 } }
`
  const rows = (stdout: string) =>
    stdout
      .slice(stdout.indexOf('\nroutes '))
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/ {2,}/))

  test('are reported with where they come from', async () => {
    const { code, stdout } = await runGateway(['check', '--all'], { file: file('http://127.0.0.1:1/v1') })
    expect(code).toBe(0)
    expect(rows(stdout)).toMatchObject(
      [
        [
          'a',
          'fallback',
          '1. together',
          'openai/gpt-oss-20b',
          '0.05 in, 0.2 out',
          'shipped 2026-08-18, not confirmed, retired since 2026-09-15 (now Qwen/Qwen3.5-9B)',
          /./,
        ],
        ['2. runpod', 'as requested', '0.00116 per second', 'shipped 2026-08-20, not confirmed', /./],
        ['3. together', 'as requested', '1 in, 2 out', 'own', /./],
      ].map((row) => row.map((cell) => (typeof cell === 'string' ? cell : expect.stringMatching(cell)))),
    )
  })

  test('are those that the providers list, where they are to be asked', async () => {
    const models = [
      { id: 'openai/gpt-oss-20b', type: 'chat', contextTokens: 9, input: 3, output: 4, engine: 'b' },
    ] as const
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0, models })
    const { code, stdout, stderr } = await runGateway(['check', '--prices', '--all'], {
      file: file(`${together.origin}/v1`),
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(rows(stdout)[0]?.slice(4, 6)).toEqual([
      '3 in, 4 out',
      expect.stringMatching(/^listed \d{4}-\d\d-\d\d$/),
    ])
    expect(rows(stdout)[2]?.slice(2, 4)).toEqual(['1 in, 2 out', 'own, not listed'])
  })

  test('stay as they are where one does not answer, which is reported, and is a failure', async () => {
    await using mute = await startRawServer((socket) => socket.destroy())
    const { code, stdout, stderr } = await runGateway(['check', '--prices', '--all'], {
      file: file(`${mute.origin}/v1`),
    })
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'together did not list its models.\n' })
    expect(rows(stdout)[0]?.slice(4, 6)).toEqual([
      '0.05 in, 0.2 out',
      'shipped 2026-08-18, not confirmed, retired since 2026-09-15 (now Qwen/Qwen3.5-9B)',
    ])
  })

  test('are those that were listed last, without a network, and what is listed no more is marked', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'check-'))
    await using host = await openListingHost('together', [{ id: 'm', price: { input: 1, output: 2 } }])
    const text = file(`${host.origin}/v1`)
    {
      await using gateway = await startGateway({ file: text, directory })
      await gateway.line(({ msg }) => msg === 'the provider listed its models')
      while (!existsSync(join(directory, 'data/lists/together.json'))) await new Promise(setImmediate)
    }
    host.listStatus = 500
    const { code, stdout } = await runGateway(['check', '--all'], { file: text, directory })
    expect(code).toBe(0)
    expect(rows(stdout)[0]?.slice(4, 6)).toEqual([
      '0.05 in, 0.2 out',
      'shipped 2026-08-18, not confirmed, not listed since 2026-09-15 (now Qwen/Qwen3.5-9B)',
    ])
    rmSync(directory, { recursive: true })
  })
})

describe('what providers answer', () => {
  const models = [{ id: 'x/here', type: 'chat', contextTokens: 9, input: 3, output: 4, engine: 'b' }] as const
  const file = (origin: string, model: string) => `
providers:
  together: { baseUrl: '${origin}/v1', apiKey: a-good-key }
models:
  m: { deployments: [{ provider: together, model: ${model} }] }
`
  const ask = (text: string) => runGateway(['check', '--ask'], { file: text })

  test('is reported for each that is routed to: it is there, takes the key, and has the models', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0, models })
    const { code, stdout } = await ask(file(together.origin, 'x/here'))
    expect(stdout).toContain('together answers, and accepts the key; 1 models, including the routed ones\n')
    expect(code).toBe(0)
  })

  test('names a routed model that is not there', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0, models })
    const { code, stdout } = await ask(file(together.origin, 'x/gone'))
    expect(stdout).toMatch(/^problem: together answers, and accepts the key; 1 models, but not x\/gone\n/)
    expect(code).toBe(1)
  })

  test('says what is wrong with a key, and with an address', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0, models, key: 'another-key' })
    const refused = await ask(file(together.origin, 'x/here'))
    expect(refused.stdout).toContain('together does not answer correctly: upstream_auth, 401')
    expect(refused.code).toBe(1)
    const nowhere = await ask(file('http://127.0.0.1:1', 'x/here'))
    expect(nowhere.stdout).toContain('unreachable, ECONNREFUSED')
  })
})

test('what may be a mistake comes first, also what only a look beyond the file shows', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'check-'))
  writeFileSync(join(directory, '.env.local'), 'PORT=1')
  writeFileSync(join(directory, '.env.txt'), '')
  const file = `
providers:
  up: { type: openai-compatible, baseUrl: 'http://nowhere.invalid/v1' }
models:
  m: { route: cheapest, deployments: [{ provider: up, model: 'x/nobody-knows' }] }
`
  const { code, stdout } = await runGateway(['check'], {
    ...{ file, directory },
    environment: { TOGETHER_KEY: 'a-key-of-some-length' },
  })
  expect(code).toBe(0)
  expect(stdout.split('\n\n')[0]?.split('\n')).toEqual([
    'warning: .env.txt is not read: name it .env.',
    'warning: .env.local is not read: name it .env.',
    'warning: The variable TOGETHER_KEY is not read: did you mean TOGETHER_API_KEY?',
    'warning: the host of providers.up, nowhere.invalid, does not resolve.',
    'warning: models.m routes by price, and the price of x/nobody-knows at up is unknown.',
  ])
  rmSync(directory, { recursive: true })
})

test('a short file makes a short check', async () => {
  const file =
    "providers: { up: { type: openai-compatible, baseUrl: 'http://127.0.0.1:9/v1' } }\nmodels: { m: { deployments: [{ provider: up }] } }"
  const { stdout } = await runGateway(['check'], { file })
  expect(stdout.split('\n').length).toBeLessThan(12)
  expect(stdout).toMatch(
    /\nproviders\.up\.type +openai-compatible\nproviders\.up\.baseUrl +http:\/\/127\.0\.0\.1:9\/v1\n/,
  )
})
