import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'
import { startRawServer } from '../harness/raw-server.ts'

/** A gateway before one server that speaks OpenAI's format, and answers every request with the same bytes. */
export type Passage = AsyncDisposable & {
  /** Posts the text of a body to a path below `/v1`; the upstream answers with `bytes`. */
  post(path: string, body: string, bytes: Buffer): Promise<Passed>
}

export type Passed = {
  readonly status: number
  /** The body that the caller got. */
  readonly text: string
  /** The body that the upstream got; undefined where nothing was asked of it. */
  readonly asked: string | undefined
}

/** Under this name the upstream has the model, too. */
export const sameModel = 'm'

/** Under this one the upstream has it by another. */
export const aliasedModel = 'alias'

/** The name that stands for. */
export const aliasedName = 'org/model "π" \\ v1'

/** Starts both. */
export async function startPassage(): Promise<Passage> {
  await using starting = new AsyncDisposableStack()
  let bytes: Buffer = Buffer.alloc(0)
  const upstream = starting.use(await startRawServer((socket) => socket.write(bytes)))
  const gateway = starting.use(await startTestGateway(configOf(upstream.origin)))
  const started = starting.move()
  return {
    async post(path, body, answer) {
      bytes = answer
      const before = upstream.requests.length
      const response = await fetch(`${gateway.url}/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return { status: response.status, text: await response.text(), asked: upstream.requests[before]?.body }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

function configOf(origin: string) {
  const file = JSON.stringify({
    providers: { up: { type: 'openai-compatible', baseUrl: `${origin}/v1`, retries: 0 } },
    models: {
      [sameModel]: { deployments: [{ provider: 'up' }] },
      [aliasedModel]: { deployments: [{ provider: 'up', model: aliasedName }] },
    },
  })
  const { providers: read, routes } = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(file),
    providers,
  })
  // Upstreams' answers are compared unchanged, including their own names of models.
  return { providers: read, routes, demo: false, answerModel: 'upstream' as const }
}
