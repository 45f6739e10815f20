import { describe, expect, test } from 'vitest'
import type { FailureKind } from '../../../src/core/model/failure.ts'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, type Told, tell } from '../../harness/core/simulated-call.ts'
import { answer, startRawServer, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

/** What a caller is told when the server answers so, and streams or not. */
async function ask(bytes: Buffer, stream: boolean): Promise<Told> {
  await using server = await startRawServer((socket) => socket.write(bytes))
  const settings = openaiCompatible.settings.parse({ baseUrl: `${server.origin}/v1`, apiKey: 'sk-own-key' })
  const upstream = openaiCompatible.create('up', settings, tools)
  const told = await tell(upstream, call({ model: 'llama', kind: 'chat', stream }), startAttempt('x'))
  await upstream.close()
  return told
}

type Row = readonly [server: string, status: number, body: string, kind: FailureKind, message: RegExp]

const ourKey = /^The upstream refused the gateway's credentials\.$/
const tooBusy = /^The upstream has more requests than it can serve\.$/
const tooMany = /^The upstream's rate limit was reached\.$/

// Literal bodies, as these servers send them.
const refusals: readonly Row[] = [
  ['vLLM', 401, '{"error":"Unauthorized"}', 'upstream_auth', ourKey],
  [
    'vLLM',
    400,
    '{"error":{"message":"temperature must be non-negative, got -1.0.","type":"BadRequestError","param":null,"code":400}}',
    'rejected',
    /^temperature must be non-negative, got -1\.0\.$/,
  ],
  [
    'vLLM, older',
    400,
    '{"object":"error","message":"max_tokens must be at least 1, got 0.","type":"BadRequestError","param":null,"code":400}',
    'rejected',
    /^max_tokens must be at least 1, got 0\.$/,
  ],
  [
    'vLLM',
    400,
    '{"error":{"message":"This model\'s maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}}',
    'context_length',
    /^This model's maximum context length is 4096 tokens/,
  ],
  [
    'vLLM',
    404,
    '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}',
    'model_not_found',
    /^The model `x` does not exist\.$/,
  ],
  [
    'SGLang',
    400,
    '{"object":"error","message":"The input (516368 tokens) is longer than the model\'s context length (262144 tokens).","type":"BadRequestError","param":null,"code":400}',
    'context_length',
    /maximum context length/,
  ],
  [
    'SGLang',
    503,
    '{"object":"error","message":"The request queue is full.","type":"ServiceUnavailable","param":null,"code":503}',
    'overloaded',
    tooBusy,
  ],
  [
    'llama.cpp',
    401,
    '{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}',
    'upstream_auth',
    ourKey,
  ],
  [
    'llama.cpp',
    400,
    '{"error":{"code":400,"message":"request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":13392,"n_ctx":8192}}',
    'context_length',
    /13392 tokens/,
  ],
  [
    'llama.cpp',
    500,
    '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
    'context_length',
    /maximum context length/,
  ],
  [
    'llama.cpp',
    503,
    '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
    'overloaded',
    tooBusy,
  ],
  [
    'Ollama',
    404,
    '{"error":{"message":"model \'x\' not found","type":"not_found_error","param":null,"code":null}}',
    'model_not_found',
    /^model 'x' not found$/,
  ],
  ['Ollama, native', 404, '{"error":"model \'x\' not found"}', 'model_not_found', /^model 'x' not found$/],
  [
    'Ollama',
    503,
    '{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error","param":null,"code":null}}',
    'overloaded',
    tooBusy,
  ],
  ['TGI', 401, '', 'upstream_auth', ourKey],
  [
    'TGI',
    422,
    '{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500 `max_new_tokens`","error_type":"validation"}',
    'context_length',
    /Given: 4000/,
  ],
  [
    'TGI',
    422,
    '{"error":"Input validation error: `temperature` must be strictly positive","error_type":"validation"}',
    'rejected',
    /`temperature` must be strictly positive$/,
  ],
  ['TGI', 429, '{"error":"Model is overloaded","error_type":"overloaded"}', 'rate_limited', tooMany],
  [
    'TGI',
    500,
    '{"error":"Incomplete generation","error_type":"incomplete_generation"}',
    'upstream_error',
    /status 500/,
  ],
  [
    'LM Studio',
    404,
    '{"error":{"message":"No models loaded. Please load a model in the developer page or use the `lms load` command.","type":"invalid_request_error","param":"model","code":"model_not_found"}}',
    'model_not_found',
    /^No models loaded/,
  ],
  [
    'Groq',
    400,
    '{"error":{"message":"property \'store\' is unsupported, did you mean \'stop\'?","type":"invalid_request_error"}}',
    'rejected',
    /^property 'store' is unsupported/,
  ],
  [
    'Mistral',
    429,
    '{"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}',
    'rate_limited',
    tooMany,
  ],
  [
    'OpenRouter',
    402,
    '{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}',
    'upstream_auth',
    /^The upstream refused the gateway's account\.$/,
  ],
  [
    'OpenRouter',
    502,
    '{"error":{"message":"Provider returned error","code":502,"metadata":{"provider_name":"Up"}}}',
    'upstream_error',
    /status 502/,
  ],
  [
    'DeepSeek',
    402,
    '{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}',
    'upstream_auth',
    /account/,
  ],
  [
    'Fireworks',
    404,
    '{"error":{"object":"error","type":"invalid_request_error","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}',
    'model_not_found',
    /^Model not found/,
  ],
  [
    'OpenAI',
    429,
    '{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
    'upstream_auth',
    /account/,
  ],
]

describe.for([false, true])('asked with stream %s', (stream) => {
  test.for(refusals)('%s, %s, %s is %s', async ([, status, body, kind, message]) => {
    const { failure } = await ask(answer(body, { status }), stream)
    expect(failure).toMatchObject({
      ...{ kind, provider: 'up', upstreamStatus: status },
      message: expect.stringMatching(message),
    })
  })
})

type Report = readonly [server: string, error: string, kind: FailureKind, detail: object]

// What comes as an answer with status 200.
const reports: readonly Report[] = [
  [
    'vLLM',
    '{"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}',
    'upstream_error',
    {},
  ],
  [
    'vLLM',
    '{"error":{"message":"This model\'s maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}}',
    'context_length',
    { upstreamStatus: 400 },
  ],
  [
    'SGLang',
    '{"object":"error","message":"Invalid grammar.","type":"BadRequestError","param":null,"code":400}',
    'rejected',
    { message: 'Invalid grammar.' },
  ],
  [
    'SGLang',
    '{"object":"error","message":"The request was aborted.","type":"abort","param":null,"code":503}',
    'overloaded',
    {},
  ],
  [
    'llama.cpp',
    '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
    'context_length',
    {},
  ],
  [
    'llama.cpp',
    '{"error":{"code":500,"message":"Decode failed.","type":"server_error"}}',
    'upstream_error',
    {},
  ],
  [
    'TGI',
    '{"error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.","http_status_code":422}}',
    'context_length',
    {},
  ],
  [
    'TGI',
    '{"error":{"message":"Template error: no such variable","http_status_code":422}}',
    'rejected',
    { message: 'Template error: no such variable' },
  ],
  [
    'Ollama',
    '{"error":{"message":"an error was encountered while running the model","type":"api_error","param":null,"code":null}}',
    'upstream_error',
    {},
  ],
  ['Ollama, native', '{"error":"unexpected EOF"}', 'upstream_error', {}],
  [
    'OpenRouter',
    '{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m","error":{"code":429,"message":"Rate limited upstream"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}',
    'rate_limited',
    { retryAfterMs: undefined },
  ],
  [
    'OpenRouter',
    '{"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m","error":{"code":"server_error","message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}',
    'upstream_error',
    {},
  ],
  [
    'Together',
    '{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"error":{"message":"Inference stopped.","type":"server_error","code":null,"param":null}}]}',
    'upstream_error',
    {},
  ],
  [
    'a server that repeats our key',
    '{"error":{"message":"Key sk-own-key may not do that.","code":400}}',
    'rejected',
    { message: expect.not.stringContaining('sk-own-key') },
  ],
  ['a server with a strange code', '{"error":{"message":"No.","code":40001}}', 'upstream_error', {}],
]

const first =
  '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":null}]}'

describe('reported within status 200', () => {
  test.for(reports)('%s: %s is %s as the whole reply', async ([, error, kind, detail]) => {
    expect((await ask(answer(error), false)).failure).toMatchObject({ kind, ...detail })
  })

  test.for(reports)('%s: %s is %s before the first token', async ([, error, kind, detail]) => {
    const { failure } = await ask(streamed([`data: ${error}\n\n`, 'data: [DONE]\n\n']), true)
    expect(failure).toMatchObject({ kind, ...detail })
  })

  test.for(reports)('%s: %s is %s in the middle of a stream', async ([, error, kind, detail]) => {
    const { failure } = await ask(streamed([`data: ${first}\n\ndata: ${error}\n\n`]), true)
    expect(failure).toMatchObject({ kind, ...detail })
  })

  test.for(reports)('%s: %s is %s as an event named error', async ([, error, kind, detail]) => {
    const { failure } = await ask(streamed([`event: error\ndata: ${error}\n\n`]), true)
    expect(failure).toMatchObject({ kind, ...detail })
  })
})
