import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'
import { makeDirectory } from '../ledger/directory.ts'

export const adminKey = 'an-admin-key-of-the-gateway'
export const readerKey = 'a-reading-key-of-the-gateway'

/** A gateway over simulators, with a ledger, keys, a team, prices and a budget that is too small. */
export type Scene = AsyncDisposable & {
  readonly url: string
  readonly gateway: TestGateway
  /** Makes a call, and gives its id. */
  call(model: string, options?: CallOptions): Promise<string>
  /** Makes some of every kind: answered, streamed, failed over, continued elsewhere, refused. */
  calls(): Promise<readonly string[]>
}

export type CallOptions = {
  readonly key?: keyof typeof callers
  readonly stream?: boolean
  /** A text completion: one that breaks off is continued anywhere. */
  readonly isText?: boolean
}

const callers = {
  research: 'the-key-of-research-batch',
  website: 'the-key-of-the-website-bot',
  poor: 'the-key-of-someone-with-no-money',
}

export async function startScene(): Promise<Scene> {
  const directory = await makeDirectory()
  const { port: _, ...config } = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', DATA_DIR: directory.path },
    readFile: onlyFile(file),
    providers,
  })
  const { enabled: _on, ...ledger } = config.ledger
  const gateway = await startTestGateway({ ...config, ledger: { enabled: true, ...ledger } })
  const call = async (
    model: string,
    { key = 'website', stream = false, isText = false }: CallOptions = {},
  ) => {
    const said = isText
      ? { prompt: 'Say something.', max_tokens: 60 }
      : { messages: [{ role: 'user', content: 'Say something.' }] }
    const response = await fetch(`${gateway.url}/v1/${isText ? 'completions' : 'chat/completions'}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${callers[key]}` },
      body: JSON.stringify({ model, stream, ...said }),
    })
    await response.text()
    return response.headers.get('x-request-id') ?? ''
  }
  return {
    url: gateway.url,
    gateway,
    call,
    async calls() {
      const ids: string[] = []
      for (const [model, options] of kinds) ids.push(await call(model, options))
      return ids
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const kinds: readonly (readonly [string, CallOptions?])[] = [
  ['llama-3.1-8b'],
  ['llama-3.1-8b', { key: 'research', stream: true }],
  ['qwen3-32b', { key: 'research', stream: true }],
  ['mistral-7b', { stream: true }],
  ['breaks-off', { isText: true, stream: true }],
  ['always-down'],
  ['llama-3.1-8b', { key: 'poor' }],
]

const file = `
auth:
  adminKeys:
    - key: ${adminKey}
      name: ops
    - key: ${readerKey}
      name: visitor
      role: read
  keys:
    - key: ${callers.research}
      name: research-batch
      team: research
      tags: [batch]
    - key: ${callers.website}
      name: website-bot
      team: website
    - key: ${callers.poor}
      name: intern
      budgets: [{ limitUsd: 0.0000001, window: day }]
teams:
  research: { budgets: [{ limitUsd: 200, window: month }] }
providers:
  simulator: {}
  spare: { type: simulator }
  dear: { type: simulator }
models:
  llama-3.1-8b:
    deployments:
      - { provider: simulator, model: sim-long-60, price: { input: 0.1, output: 0.2 } }
      - { provider: dear, model: sim-long-60, price: { input: 0.9, output: 0.9 }, baseline: true }
  qwen3-32b:
    deployments:
      - { provider: simulator, model: sim-status-503, price: { input: 0.2, output: 0.4 } }
      - { provider: spare, model: sim-drip-2, price: { input: 0.3, output: 0.6 } }
      - { provider: dear, model: sim-echo, price: { input: 1.2, output: 2.4 }, baseline: true }
  mistral-7b:
    deployments:
      - { provider: spare, model: sim-drip-5, price: { input: 0.1, output: 0.1 } }
      - { provider: dear, model: sim-echo, price: { input: 0.4, output: 0.5 }, baseline: true }
  breaks-off:
    deployments:
      - { provider: simulator, model: sim-cut-12, price: { input: 0.1, output: 0.2 } }
      - { provider: spare, model: sim-long-40, price: { input: 0.2, output: 0.3 } }
  always-down:
    deployments:
      - { provider: simulator, model: sim-status-500 }
      - { provider: spare, model: sim-status-503 }
`
