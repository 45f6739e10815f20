import { readFileSync } from 'node:fs'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { describeProvider, overSockets, type Speech } from '../../contracts/provider.ts'
import { answer, type RawRequest, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

const fixture = (path: string) => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8')
const events = (path: string) => streamed(fixture(path).split(/(?<=\n\n)/))

const create =
  (path: string, input: object) =>
  (origin: string): Upstream =>
    baseten.create(
      'up',
      baseten.settings.parse({ baseUrl: origin + path, apiKey: 'own-key', ...input }),
      tools,
    )

/** A reply of the kind that was requested, judged by what the request holds. */
function answerOpenAi({ body }: RawRequest): Buffer {
  const { stream, messages } = JSON.parse(body)
  if (messages === undefined) {
    return stream
      ? events('openai-compatible/vllm-text.sse')
      : answer(fixture('openai-compatible/vllm-text-reply.json'))
  }
  return stream ? events('openai-compatible/baseten.sse') : answer(fixture('baseten/reply.json'))
}

const shared: Speech = {
  say: (body, contentType) => answer(body, { headers: { 'content-type': contentType } }),
  refuse: (status, headers) => answer('{"error":"please check what you sent"}', { status, headers }),
  answer: answerOpenAi,
}

/** The server inside a deployment, as Truss has it. */
const dedicated: Speech = {
  ...shared,
  refuse: (status, headers) =>
    answer('{"error":"Internal Server Error (in model/chainlet)."}', {
      status,
      headers: { 'x-baseten-error-source': '04', 'x-baseten-error-code': '600', ...headers },
    }),
}

const raw: Speech = {
  ...dedicated,
  answer: () => streamed(['one', ' two'], { headers: { 'content-type': 'application/octet-stream' } }),
}

const deployment = { model: 'abc123' }

// With a path for text calls, which Model APIs do not document: what comes of one without is tested apart.
describeProvider(overSockets('baseten Model APIs', create('/v1', { textPath: '/completions' }), shared))
describeProvider(overSockets('baseten deployment', create('', { deployment }), dedicated))
describeProvider(overSockets('baseten predict', create('', { deployment, predict: true }), dedicated))
describeProvider({
  ...overSockets('baseten predict in raw text', create('', { deployment, predict: true }), raw),
  deviations: {
    answers: 'bare text tells no usage, so the gateway counts; its answers are tested apart',
  },
})
