import { describe, expect, test } from 'vitest'
import type { Failure, FailureKind } from '../../../src/core/model/failure.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, streamed } from '../../harness/raw-server.ts'
import { stage } from './harness.ts'

type Row = readonly [
  name: string,
  status: number,
  body: string,
  kind: FailureKind,
  told: Partial<Record<keyof Failure, unknown>>,
]

const ourKey = "The upstream refused the gateway's credentials."
const tooBusy = 'The upstream has more requests than it can serve.'

/** Bodies as they were captured or are specified, each on every surface: the hosts do not keep to one shape. */
const rows: readonly Row[] = [
  [
    'a bad key',
    403,
    '{"error":"please check the api-key you provided"}',
    'upstream_auth',
    { message: ourKey, operatorNote: 'providers.up.apiKey' },
  ],
  ['a bad key, as documented', 401, '{"error":"Unauthorized"}', 'upstream_auth', { message: ourKey }],
  [
    'a bad key that is told back',
    403,
    '{"error":"no such key: very-own-key"}',
    'upstream_auth',
    { message: ourKey },
  ],
  [
    'no budget',
    402,
    '{"error":"Payment required"}',
    'upstream_auth',
    { operatorNote: expect.stringContaining('providers.up.apiKey') },
  ],
  [
    'engine A',
    400,
    '{"error":{"code":400,"message":"image_url is not supported","type":"Bad Request"}}',
    'rejected',
    { message: 'image_url is not supported' },
  ],
  [
    'engine B',
    400,
    '{"message":"This model does not support logprobs > 1 due to advanced speculative decoding.","type":"Bad Request","code":400}',
    'rejected',
    { message: 'This model does not support logprobs > 1 due to advanced speculative decoding.' },
  ],
  [
    'engine A: too long',
    400,
    '{"error":{"code":400,"message":"This model\'s maximum context length is 4096 tokens.","type":"Bad Request"}}',
    'context_length',
    { message: "This model's maximum context length is 4096 tokens." },
  ],
  [
    'engine B: too long',
    400,
    '{"message":"The input (5 tokens) is longer than the model\'s context length (4 tokens).","type":"Bad Request","code":400}',
    'context_length',
    { message: expect.stringContaining('The input (5 tokens)') },
  ],
  [
    'a model that is not enabled',
    404,
    '{"error":"model not found"}',
    'model_not_found',
    { message: 'model not found', elsewhere: true },
  ],
  [
    'a model that is not there, as specified',
    404,
    '{"error":"The model does not exist.","error_code":"model_does_not_exist","detail":"qvv0xeq"}',
    'model_not_found',
    { message: 'The model does not exist.' },
  ],
  [
    'a body too large',
    413,
    '{"error":"payload size of 104857601 bytes exceeds maximum size of 104857600 bytes","error_code":"payload_too_large","detail":""}',
    'rejected',
    { message: 'payload size of 104857601 bytes exceeds maximum size of 104857600 bytes' },
  ],
  [
    'a rate limit',
    429,
    '{"error":"Too many requests","error_code":"rate_limited","detail":null}',
    'rate_limited',
    { retryAfterMs: undefined, again: true },
  ],
  [
    'an input that is not understood',
    400,
    '{"error":"bad input","error_code":"client_error"}',
    'rejected',
    { message: 'bad input' },
  ],
  ['the platform', 500, '{"error": "Internal Server Error"}', 'upstream_error', { again: true }],
  [
    'the platform, as specified',
    500,
    '{"error":"Oops at https://internal.baseten.co/x","error_code":"internal_baseten_error","detail":"File \\"/app/model.py\\", line 3"}',
    'upstream_error',
    { message: 'The upstream answered with status 500.' },
  ],
  ['a crashed container', 502, '{"error":"Error making prediction"}', 'upstream_error', { elsewhere: true }],
  ['no route', 503, '{"error":"no route"}', 'overloaded', { message: tooBusy }],
  [
    'a predict timeout',
    504,
    '{"error":"Timed out","error_code":"timeout"}',
    'upstream_error',
    { elsewhere: true },
  ],
  ['no serving capacity', 529, '{"error":"No capacity"}', 'overloaded', { message: tooBusy, again: true }],
  [
    'Truss: not ready',
    503,
    '{"error":"Model with name abc is not ready."}',
    'overloaded',
    { message: tooBusy },
  ],
  [
    'Truss: bad input',
    400,
    '{"error":"Invalid JSON payload"}',
    'rejected',
    { message: 'Invalid JSON payload' },
  ],
  [
    "Truss: the model's own exception",
    500,
    '{"error":"Internal Server Error (in model/chainlet)."}',
    'upstream_error',
    { message: 'The upstream answered with status 500.' },
  ],
  ['a page of the balancer', 502, '<html>502 Bad Gateway</html>', 'upstream_error', {}],
  ['nothing at all', 503, '', 'overloaded', {}],
]

const surfaces = [
  ['Model APIs', {}],
  ['a deployment', { deployment: { model: 'abc123' } }],
  ['predict', { deployment: { model: 'abc123' }, predict: true }],
] as const

describe.for(surfaces)('of %s', ([, settings]) => {
  test.for(rows)('%s (%i) is understood', async ([, status, body, kind, expected]) => {
    const headers = { 'x-baseten-error-source': '04', 'x-baseten-error-code': '600' }
    await using scene = await stage((socket) => socket.write(answer(body, { status, headers })), settings)
    for (const stream of [false, true]) {
      const { failure } = await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream }))
      expect(failure).toMatchObject({ kind, provider: 'up', upstreamStatus: status, ...expected })
      expect(failure?.message).not.toMatch(/very-own-key|baseten\.co|model\.py/)
    }
  })

  test('a rate limit is waited for as long as it says', async () => {
    const behave: Behaviour = (socket) =>
      socket.write(answer('{"error":"Slow down"}', { status: 429, headers: { 'retry-after': '7' } }))
    await using scene = await stage(behave, settings)
    const { failure } = await tell(scene.upstream, call({ model: 'm', kind: 'chat' }))
    expect(failure).toMatchObject({ kind: 'rate_limited', retryAfterMs: 7000 })
  })

  test.for<readonly [name: string, body: string, kind: FailureKind]>([
    ['engine A', '{"error":{"code":400,"message":"no such thing","type":"Bad Request"}}', 'rejected'],
    ['engine B', '{"message":"no such thing","type":"Bad Request","code":400}', 'rejected'],
    ['a bare word', '{"error":"it broke"}', 'upstream_error'],
  ])('an error that comes with status 200 is one, in the shape of %s', async ([, body, kind]) => {
    const whole: Behaviour = (socket) => socket.write(answer(body))
    const events: Behaviour = (socket) => socket.write(streamed([`data: ${body}\n\n`, 'data: [DONE]\n\n']))
    for (const behave of [whole, events]) {
      await using scene = await stage(behave, settings)
      const told = await tell(scene.upstream, call({ model: 'm', kind: 'chat', stream: behave === events }))
      expect(told.failure).toMatchObject({ kind })
    }
  })
})
