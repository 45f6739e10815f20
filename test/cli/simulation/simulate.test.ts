import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/cli/command.ts'
import { helpText } from '../../../src/cli/help.ts'
import { parseCommand } from '../../../src/cli/parse-command.ts'
import { simulate } from '../../../src/cli/simulation/simulate.ts'
import { openSimulation } from '../../../src/cli/simulation/simulation.ts'
import {
  askedSimulation,
  type SimulatedName,
  simulatedNames,
} from '../../../src/cli/simulation/simulation-options.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { runGateway } from '../../acceptance/gateway-process.ts'

const common = { port: 9000 }

describe('what is asked to be simulated', () => {
  test.for<[string, object]>([
    ['pandotate', { name: 'pandotate', ...common }],
    ['together --port 0', { name: 'together', port: 0 }],
    ['--key sk-1 baseten', { name: 'baseten', ...common, key: 'sk-1' }],
    ['runpod --slow 200 --limit=3', { name: 'runpod', ...common, slowMs: 200, limit: 3 }],
    [
      'together --price 0.88/1.04',
      {
        ...{ name: 'together', ...common },
        price: {
          ...unknownPrice,
          inputNanoUsdPerMillion: 880_000_000,
          outputNanoUsdPerMillion: 1_040_000_000,
        },
      },
    ],
    ['baseten --cold 3000', { name: 'baseten', ...common, coldMs: 3000 }],
    ['runpod --per-second 0.00116', { name: 'runpod', ...common, nanoUsdPerSecond: 1_160_000 }],
    [
      'runpod --worker old --errors plain --workers 1 --wait 10 --kept 20',
      {
        ...{ name: 'runpod', ...common, generation: 'old', errorForm: 'plain' },
        ...{ workers: 1, longestWaitMs: 10, keptMs: 20 },
      },
    ],
    [
      'together --limit-type model_rate_limit --breaks chunk',
      { name: 'together', ...common, limitType: 'model_rate_limit', breaks: 'chunk' },
    ],
  ])('%s', ([words, asked]) => {
    expect(readSimulation(words)).toEqual(asked)
  })

  test.for<[string, string]>([
    ['', 'simulate takes NAME: pandotate, together, baseten or runpod.'],
    ['openai', 'simulate takes NAME: pandotate, together, baseten or runpod, not "openai".'],
    ['together baseten', 'simulate takes NAME: "baseten" is one word too many.'],
    ['together --port 65536', '--port takes a port, from 0 to 65535, not "65536".'],
    ['together --port=-1', '--port takes a port, from 0 to 65535, not "-1".'],
    ['together --slow soon', '--slow takes milliseconds, from 0 to 600000, not "soon".'],
    ['together --limit 0', '--limit takes a whole number of at least 1, not "0".'],
    ['together --price 0.88', '--price takes USD for input and output, such as 0.88/1.04, not "0.88".'],
    ['together --price 1/-1', '--price takes USD for input and output, such as 0.88/1.04, not "1/-1".'],
    ['together --cold 1', '--cold is for baseten and runpod.'],
    ['runpod --price 1/1', '--price is for pandotate, together and baseten.'],
    ['baseten --worker old', '--worker is for runpod.'],
    ['runpod --worker newest', '--worker takes new, old or oldest, not "newest".'],
    ['runpod --per-second free', '--per-second takes USD, such as 0.00116, not "free".'],
    ['together --hot', 'simulate has no option --hot.'],
    ['together --key', '--key takes a key.'],
    ['together --key --cold 1', '--key takes a key.'],
  ])('is refused: %s', ([words, fault]) => {
    expect(() => readSimulation(words)).toThrow(new UsageError(fault))
  })

  test.for(['--help', '-h', 'runpod --help', 'openai --cold 1 --help'])('is only explained: %s', (words) => {
    expect(parseCommand([simulate], ['simulate', ...words.split(' ')])).toEqual({
      type: 'help',
      of: [simulate],
    })
  })
})

test('docs/simulator.md has an example of each, and all are understood', () => {
  const readme = readFileSync(new URL('../../../docs/simulator.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/^npm run gateway -- simulate (.+)$/gm)].map(([, words = '']) =>
    readSimulation(words),
  )
  expect(examples).toMatchObject(simulatedNames.map((name) => ({ name })))
})

describe('the help', () => {
  const simulateHelp = helpText([simulate], 'npm run gateway --')

  test.for([
    ...['port', 'key', 'slow', 'limit', 'price', 'per-second', 'cold', 'worker', 'errors'],
    ...['workers', 'wait', 'kept', 'limit-type', 'breaks', 'help'],
  ])('has a line for --%s', (name) => {
    expect(simulateHelp).toMatch(new RegExp(`^ +--${name}\\b.* {2}\\S`, 'm'))
  })

  test('is reported by the command itself, which then ends', async () => {
    const { code, stdout, stderr } = await runGateway(['simulate', '--help'])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: simulateHelp, stderr: '' })
  })

  test('follows what was wrong', async () => {
    const { code, stdout, stderr } = await runGateway(['simulate', 'together', '--cold', '1'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe('--cold is for baseten and runpod.\nSee npm run gateway -- simulate --help\n')
  })
})

describe('what is served', () => {
  const prompt = { prompt: 'one two', model: 'sim-long-3' }
  const chat = { messages: [{ role: 'user', content: 'one two' }], model: 'sim-long-3' }

  test.for<[string, string, object, number]>([
    ['pandotate --price 1/2', '/api/inference', prompt, 8000],
    ['together --price 1/2', '/v1/completions', prompt, 8000],
    ['baseten --price 1/2', '/v1/chat/completions', chat, 8000],
  ])('is billed: %s', async ([words, path, body, nanoUsd]) => {
    await using simulated = await start(words)
    expect((await simulated.ask(path, body)).status).toBe(200)
    expect(await simulated.bill()).toMatchObject({ totalNanoUsd: nanoUsd, lines: [{ nanoUsd }] })
  })

  test.for<[string, string, object]>([
    ['baseten --per-second 1000', '/production/sync/v1/chat/completions', chat],
    ['runpod --per-second 1000', '/v2/any/openai/v1/chat/completions', chat],
  ])('is billed by the second: %s', async ([words, path, body]) => {
    await using simulated = await start(`${words} --slow 20`)
    expect((await simulated.ask(path, body)).status).toBe(200)
    const { lines } = await simulated.bill()
    // A million nano-USD for each millisecond.
    expect(lines).toMatchObject([{ nanoUsd: Number(lines[0]?.['workedMs']) * 1e9 }])
    expect(lines[0]?.['workedMs']).toBeGreaterThanOrEqual(19)
  })

  test('prices of its own go before the one for all others', async () => {
    await using simulated = await start('together --price 1/2')
    const model = 'openai/gpt-oss-20b'
    await simulated.ask('/v1/completions', { model, prompt: 'one', max_tokens: 1 })
    expect(await simulated.bill()).toMatchObject({ totalNanoUsd: 50 + 200 })
  })

  test.for<[string, string, object]>([
    ['pandotate', '/api/inference', prompt],
    ['together', '/v1/completions', prompt],
    ['together', '/v1/embeddings', { model: 'sim-echo', input: 'one' }],
    ['baseten', '/v1/chat/completions', chat],
    ['baseten', '/production/sync/v1/chat/completions', chat],
    ['runpod', '/v2/any/openai/v1/chat/completions', chat],
    ['runpod', '/v2/any/run', { input: prompt }],
  ])('is limited: %s %s', async ([name, path, body]) => {
    await using simulated = await start(`${name} --limit 2`)
    const statuses: number[] = []
    for (let times = 0; times < 4; times++) statuses.push((await simulated.ask(path, body)).status)
    expect(statuses).toEqual([200, 200, 429, 429])
  })

  test('is limited by the limit that is named', async () => {
    await using simulated = await start('together --limit 1 --limit-type dynamic_request_limited')
    await simulated.ask('/v1/completions', prompt)
    const { status, headers, body } = await simulated.ask('/v1/completions', prompt)
    expect([status, headers.get('retry-after')]).toEqual([429, '2'])
    expect(body).toMatchObject({ error: { type: 'dynamic_request_limited' } })
  })

  test('fails as the worker of that generation, in that form', async () => {
    await using simulated = await start('runpod --worker old --errors plain')
    const input = { prompt: 'one', model: 'sim-status-500' }
    const { body } = await simulated.ask('/v2/any/runsync', { input })
    expect(body).toMatchObject({ status: 'FAILED', error: 'Simulated status 500.' })
    const old = await simulated.ask('/v2/any/runsync', { input: prompt })
    expect(old.body).toMatchObject({ output: [{ choices: [{ tokens: [expect.any(String)] }] }] })
  })

  test('holds a request while it starts, where it is cold', async () => {
    await using simulated = await start('baseten --cold 600000')
    const leaving = new AbortController()
    const held = simulated.ask('/production/sync/v1/chat/completions', chat, leaving.signal)
    expect((await simulated.ask('/production/wake', {})).status).toBe(202)
    leaving.abort()
    await expect(held).rejects.toThrow()
  })

  test('gives back a job that is not done within the wait, and forgets it', async () => {
    await using simulated = await start('runpod --cold 600000 --wait 1 --workers 1')
    const { status, body } = await simulated.ask('/v2/any/runsync', { input: prompt })
    expect([status, body]).toMatchObject([200, { status: 'IN_QUEUE' }])
  })

  test('asks for the key', async () => {
    await using simulated = await start('together --key right')
    expect((await simulated.ask('/v1/completions', prompt)).status).toBe(401)
  })

  test('says where, and where its bill is', async () => {
    await using simulated = await start('pandotate')
    expect(simulated.told).toContain(`${simulated.origin}/api/inference`)
    expect(simulated.told).toContain(`${simulated.origin}/bill`)
  })
})

type Bill = { readonly totalNanoUsd: number; readonly lines: readonly Readonly<Record<string, unknown>>[] }

function readSimulation(words: string) {
  const parsed = parseCommand([simulate], ['simulate', ...words.split(' ').filter((word) => word !== '')])
  if (parsed.type === 'fault') throw new UsageError(parsed.fault)
  if (parsed.type !== 'run') throw new Error(JSON.stringify(parsed))
  const { operands, options } = parsed.invocation
  return askedSimulation(operands[0] as SimulatedName, options as Parameters<typeof askedSimulation>[1])
}

async function start(words: string) {
  const simulated = await openSimulation(readSimulation(`${words} --port 0`))
  const { origin } = simulated
  return {
    ...simulated,
    async ask(path: string, body: object, signal?: AbortSignal) {
      const response = await fetch(origin + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      })
      const text = await response.text()
      const told: unknown = text.startsWith('{') ? JSON.parse(text) : text
      return { status: response.status, headers: response.headers, body: told }
    },
    async bill(): Promise<Bill> {
      return (await (await fetch(`${origin}/bill`)).json()) as Bill
    },
  }
}
