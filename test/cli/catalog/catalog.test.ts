import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogText, readCatalog } from '../../../src/catalog/catalog.ts'
import { shippedCatalog } from '../../../src/catalog/shipped.ts'
import { runGateway } from '../../acceptance/gateway-process.ts'
import { deadOrigin } from '../../harness/raw-server.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'catalog-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const litellm = (changes: object = {}) => ({
  'together_ai/zai-org/GLM-6': {
    ...{
      litellm_provider: 'together_ai',
      mode: 'chat',
      input_cost_per_token: 2e-6,
      output_cost_per_token: 8e-6,
    },
  },
  'together_ai/zai-org/GLM-5.3-Flash': {
    ...{
      litellm_provider: 'together_ai',
      mode: 'chat',
      input_cost_per_token: 2e-7,
      output_cost_per_token: 5e-7,
    },
  },
  ...changes,
})

function file(name: string, content: object): string {
  const path = join(directory, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const run = (words: readonly string[], text?: string) =>
  runGateway(words, {
    directory,
    environment: { DATA_DIR: join(directory, 'data') },
    ...(text === undefined ? {} : { file: text }),
  })

describe('catalog update', () => {
  test('shows the difference, and writes nothing', async () => {
    const { code, stdout } = await run(['catalog', 'update', file('prices.json', litellm())])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `New (1)
  together  zai-org/GLM-6  2 in, 8 out (LiteLLM)

Another price (1)
  together  zai-org/GLM-5.3-Flash  0.15 in, 0.5 out, 0.03 cached -> 0.2 in, 0.5 out (LiteLLM)
`,
    })
    expect(existsSync(join(directory, 'data'))).toBe(false)
  })

  test('writes it into the data directory, where the gateway finds it', async () => {
    const { code, stdout } = await run(['catalog', 'update', file('prices.json', litellm()), '--write'])
    const path = join(directory, 'data', 'catalog.json')
    expect(code).toBe(0)
    expect(stdout).toContain(`Wrote ${path}.\n`)
    const written = readCatalog(readFileSync(path, 'utf8'))
    const rows = written.models.filter(({ model }) => model === 'zai-org/GLM-5.3-Flash')
    expect(rows.map(({ provider, price, until }) => [provider, price?.input, until !== undefined])).toEqual([
      ['together', '0.15', true],
      ['together', '0.2', false],
      ['baseten', '0.15', false],
    ])
    const checked = await run(['check'])
    expect(checked.stdout).toContain(`The catalogue is dated ${written.asOf} (${path}).`)
  })

  test('holds back what is over threefold until it is accepted', async () => {
    const dear = {
      litellm_provider: 'together_ai',
      mode: 'chat',
      input_cost_per_token: 9e-6,
      output_cost_per_token: 5e-7,
    }
    const path = file('prices.json', litellm({ 'together_ai/zai-org/GLM-5.3-Flash': dear }))
    const held = await run(['catalog', 'update', path])
    expect(held.code).toBe(1)
    expect(held.stdout).toContain('-> 9 in, 0.5 out (LiteLLM)  HELD: pass --accept to apply it')
    expect((await run(['catalog', 'update', path, '--accept'])).code).toBe(0)
  })

  test('reads an address', async () => {
    const server = createServer((_request, response) => response.end(JSON.stringify(litellm())))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prices.json`
    const { code, stdout } = await run(['catalog', 'update', url, '--write'])
    server.close()
    expect(code).toBe(0)
    expect(stdout).toContain('GLM-6')
    const { sources } = readCatalog(readFileSync(join(directory, 'data', 'catalog.json'), 'utf8'))
    expect(Object.values(sources).map((source) => source.url)).toContain(url)
  })

  test('says why a source cannot be read', async () => {
    const missing = await run(['catalog', 'update', 'nowhere.json'])
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere.json: cannot be read (ENOENT)'),
    })
    const url = `${await deadOrigin()}/x`
    const refused = await run(['catalog', 'update', url])
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${url}: cannot be read (ECONNREFUSED)`),
    })
  })
})

describe('catalog diff', () => {
  test('is content with the default map, by the sample sources', async () => {
    const samples = ['litellm', 'models-dev'].map((name) =>
      join(import.meta.dirname, `../../fixtures/catalog/${name}.json`),
    )
    const { code, stdout } = await run(['catalog', 'diff', samples.join(','), '--max-age', '100000'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^0 of \d\d routed models/) })
  })

  test('ends with 1 for a route to what is retired, or priced otherwise by a source', async () => {
    const text = `
providers: { together: { apiKey: some-key } }
models:
  old: { deployments: [{ provider: together, model: meta-llama/Llama-3.3-70B-Instruct-Turbo }] }
  new: { deployments: [{ provider: together, model: zai-org/GLM-5.3-Flash }] }
  own: { deployments: [{ provider: together, model: mine, price: { input: 1, output: 2 } }] }
`
    const { code, stdout } = await run(
      ['catalog', 'diff', file('prices.json', litellm()), '--max-age', '100000'],
      text,
    )
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: `meta-llama/Llama-3.3-70B-Instruct-Turbo at together: retired since 2026-10-22, now meta-models/Muse-Glimmer-30B
zai-org/GLM-5.3-Flash at together: 0.15 in, 0.5 out, 0.03 cached, and LiteLLM has 0.2 in, 0.5 out
2 of 2 routed models need a look.
`,
    })
  })

  test('ends with 1 for a price that was read too long ago', async () => {
    const { sources, ...shipped } = shippedCatalog()
    const aged = Object.entries(sources).map(([id, source]) => [id, { ...source, readAt: '2026-01-01' }])
    writeFileSync(join(directory, 'own.json'), catalogText({ ...shipped, sources: Object.fromEntries(aged) }))
    const { code, stdout } = await run(
      ['catalog', 'diff'],
      `catalog: { file: ${join(directory, 'own.json')} }`,
    )
    expect(code).toBe(1)
    expect(stdout).toMatch(/its price was last read on 2026-01-01, \d+ days ago/)
  })
})
