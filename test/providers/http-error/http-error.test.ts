import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureKind } from '../../../src/core/model/failure.ts'
import { failureOf, type RequestContext } from '../../../src/providers/http-error/http-error.ts'

const asked: RequestContext = {
  provider: 'up',
  model: 'llama',
  key: 'ours',
  keySetting: 'UP_KEY',
  secrets: ['very-own-key'],
  epochMs: Date.UTC(2026, 10, 23, 12, 0, 0),
}

function refuse(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  by: Partial<RequestContext> = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return failureOf({ status, text, header: (name) => headers[name] }, { ...asked, ...by })
}

const openAi = (message: string, code: unknown = null, type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
})

type Row = readonly [name: string, status: number, body: unknown, kind: FailureKind, message: RegExp]

const noneSuch = /^The model `llama` does not exist or you do not have access to it\.$/
const ourKey = /^The upstream refused the gateway's credentials\.$/
const tooMany = /^The upstream's rate limit was reached\.$/
const tooBusy = /^The upstream has more requests than it can serve\.$/
const unavailable = 'model_not_available'
const overflow = '`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 80125 `inputs` tokens'

const rows: readonly Row[] = [
  // What the caller can mend.
  [
    'a bad value',
    400,
    openAi('temperature must be at most 2'),
    'rejected',
    /^temperature must be at most 2$/,
  ],
  [
    'a bad value, flat',
    400,
    { message: 'No such thing.', type: 'Bad Request', code: 400 },
    'rejected',
    /^No such thing\.$/,
  ],
  [
    'a bad value, flat as an object',
    400,
    { object: 'error', message: 'Bad.', code: 40001 },
    'rejected',
    /^Bad\.$/,
  ],
  ['a bad value in one word', 400, { error: 'bad prompt' }, 'rejected', /^bad prompt$/],
  ['a bad value in a message', 400, { message: 'bad prompt' }, 'rejected', /^bad prompt$/],
  ['a bad value in a detail', 400, { detail: 'bad prompt' }, 'rejected', /^bad prompt$/],
  [
    'a list of faults',
    422,
    { detail: [{ loc: ['body', 'n'], msg: 'too big', input: 'my secret prompt' }] },
    'rejected',
    /^n: too big$/,
  ],
  [
    'a template that fails',
    422,
    { error: 'Template error: bad', error_type: 'validation' },
    'rejected',
    /^Template error: bad$/,
  ],
  ['a body too big', 413, { error: 'payload size of 9 bytes exceeds maximum' }, 'rejected', /^payload size/],
  [
    'a number that looks like a window',
    400,
    openAi('top_p must be <= 1'),
    'rejected',
    /^top_p must be <= 1$/,
  ],
  ['nothing said', 400, '', 'rejected', /^The upstream refused the request with status 400\.$/],
  ['a page', 400, '<html><title>Bad</title></html>', 'rejected', /status 400/],
  ['half a JSON', 422, '{"error":{"mess', 'rejected', /status 422/],
  ['an array', 400, '["no"]', 'rejected', /status 400/],
  ['a message that is none', 400, { error: { message: { a: 1 } } }, 'rejected', /status 400/],
  ['a conflict', 409, openAi('again'), 'rejected', /^again$/],
  ['a teapot', 418, {}, 'rejected', /status 418/],
  // A prompt that is too long, in everybody's words.
  [
    'vLLM: too long',
    400,
    openAi("This model's maximum context length is 4096 tokens. However, you requested 5000"),
    'context_length',
    /^This model's maximum context length is 4096/,
  ],
  [
    'SGLang: too long',
    400,
    {
      object: 'error',
      message: "The input (5 tokens) is longer than the model's context length (4 tokens).",
    },
    'context_length',
    /maximum context length\. The input \(5 tokens\)/,
  ],
  [
    'Together: too long',
    400,
    openAi(`Input validation error: ${overflow}`),
    'context_length',
    /maximum context length\. Input validation/,
  ],
  [
    'TGI: too long',
    422,
    { error: `Input validation error: ${overflow}`, error_type: 'validation' },
    'context_length',
    /maximum context length/,
  ],
  [
    'Together says 403: too long',
    403,
    openAi("This model's maximum context length is 8 tokens"),
    'context_length',
    /8 tokens/,
  ],
  [
    'llama.cpp: too long',
    400,
    {
      error: {
        code: 400,
        message: 'request (9 tokens) exceeds the available context size (8 tokens)',
        type: 'exceed_context_size_error',
      },
    },
    'context_length',
    /maximum context length/,
  ],
  [
    'llama.cpp in the middle: too long',
    500,
    { error: { code: 500, message: 'Context size has been exceeded.' } },
    'context_length',
    /maximum context length/,
  ],
  [
    'by its code alone: too long',
    400,
    openAi('No.', 'context_length_exceeded'),
    'context_length',
    /maximum context length\. No\./,
  ],
  [
    'by its type alone: too long',
    413,
    { error: { type: 'exceed_context_size_error' } },
    'context_length',
    /maximum context length\.$/,
  ],
  // A model that is not there.
  [
    'unknown model',
    404,
    openAi('Unable to access model bad. Please visit https://api.together.ai/models', unavailable),
    'model_not_found',
    /^Unable to access model bad\. Please visit \[removed\]$/,
  ],
  ['unknown path', 404, { detail: 'Not Found' }, 'unsupported', /no such path/],
  ['unknown and not JSON', 404, '404 page not found', 'unsupported', /no such path/],
  ['unknown, in HTML', 404, '<html>404 Not Found</html>', 'unsupported', /no such path/],
  ['unknown to llama.cpp', 404, openAi('File Not Found'), 'unsupported', /no such path/],
  ['unknown to OpenAI', 404, openAi('Invalid URL (POST /v1/x)'), 'unsupported', /no such path/],
  ['nothing said', 404, '', 'model_not_found', noneSuch],
  [
    'not serverless',
    400,
    openAi('Unable to access non-serverless model X.', unavailable),
    'model_not_found',
    /^Unable to access non-serverless/,
  ],
  [
    'asleep',
    400,
    openAi('The dedicated endpoint for X is not running.', 'dedicated_endpoint_not_running'),
    'model_not_found',
    /not running/,
  ],
  // The operator's to mend.
  [
    'bad key',
    401,
    openAi('Incorrect API key provided: very-own-key', 'invalid_api_key'),
    'upstream_auth',
    ourKey,
  ],
  ['bad key, bare', 401, { error: 'Unauthorized' }, 'upstream_auth', ourKey],
  ['bad key at Baseten', 403, { error: 'please check the api-key you provided' }, 'upstream_auth', ourKey],
  ['bad key, nothing said', 401, '', 'upstream_auth', ourKey],
  ['no credit', 402, openAi('Pay first.'), 'upstream_auth', /^The upstream refused the gateway's account\.$/],
  [
    'no credit, said with 429',
    429,
    openAi('Check your billing.', 'insufficient_quota'),
    'upstream_auth',
    /account/,
  ],
  // The upstream's own trouble.
  [
    'rate',
    429,
    openAi('You are at 60 RPM. See details: https://docs.together.ai/docs/rate-limits'),
    'rate_limited',
    tooMany,
  ],
  [
    'rate of the free tier',
    429,
    openAi('Your rate limit is 60', null, 'credit_limit'),
    'rate_limited',
    tooMany,
  ],
  ['TGI is full', 429, { error: 'Model is overloaded', error_type: 'overloaded' }, 'rate_limited', tooMany],
  ['overload', 503, openAi('Service unavailable'), 'overloaded', tooBusy],
  ['overload at Baseten', 529, '', 'overloaded', tooBusy],
  ['timeout of theirs', 408, '', 'upstream_error', /status 408/],
  ['too early', 425, '', 'upstream_error', /status 425/],
  [
    'error',
    500,
    { error: 'Internal Server Error' },
    'upstream_error',
    /^The upstream answered with status 500\.$/,
  ],
  [
    'error with its stack',
    500,
    openAi('CUDA out of memory at /usr/lib/x.py'),
    'upstream_error',
    /^The upstream answered with status 500\.$/,
  ],
  ['bad gateway', 502, '<html></html>', 'upstream_error', /status 502/],
  ['gateway timeout', 504, '', 'upstream_error', /status 504/],
  ['edge', 521, 'error code: 521', 'upstream_error', /status 521/],
  ['edge timeout', 524, 'error code: 524', 'upstream_error', /status 524/],
  ['redirect', 307, '', 'upstream_error', /status 307/],
  ['no status at all', 999, '', 'upstream_error', /status 999/],
]

test.for(rows)('%s (%i) is understood', ([, status, body, kind, message]) => {
  const failure = refuse(status, body)
  expect(failure).toMatchObject({ kind, provider: 'up', upstreamStatus: status })
  expect(failure.message).toMatch(message)
  expect(failure.message).not.toMatch(/very-own-key|together\.ai|my secret prompt|\/usr\/lib/)
})

describe('whose key it was decides whose fault it is', () => {
  test('a bad key of ours names its setting to the operator', () => {
    expect(refuse(401, '').operatorNote).toBe('UP_KEY')
    expect(refuse(402, '').operatorNote).toMatch(/UP_KEY/)
  })

  test('a missing key names the setting that would hold it', () => {
    const failure = refuse(401, '', {}, { key: 'none' })
    expect(failure).toMatchObject({
      kind: 'upstream_auth',
      operatorNote: expect.stringMatching(/UP_KEY is not set/),
    })
  })

  test.for([401, 403])("a caller's bad key is theirs (%i)", (status) => {
    const failure = refuse(status, openAi('Bad key pk_12345'), {}, { key: 'callers' })
    expect(failure).toMatchObject({
      kind: 'unauthorized',
      status: 401,
      code: 'invalid_api_key',
      upstreamStatus: status,
    })
    expect(failure.message).not.toContain('pk_')
  })

  test("a caller's empty account is theirs", () => {
    const failure = refuse(402, '', {}, { key: 'callers' })
    expect(failure).toMatchObject({ kind: 'rejected', code: 'insufficient_quota' })
  })
})

describe('code and param are told when they are words', () => {
  test.for([
    ['array_above_max_length', 'stop', 'array_above_max_length', 'stop'],
    [400, 'messages[0].content', null, 'messages[0].content'],
    ['<script>', { a: 1 }, null, null],
    ['x'.repeat(101), 'two words', null, null],
    [null, null, null, null],
  ])('%o and %o', ([code, param, codeTold, paramTold]) => {
    const failure = refuse(400, { error: { message: 'No.', code, param } })
    expect(failure).toMatchObject({ code: codeTold, param: paramTold })
  })
})

test('any status with any body is a Failure that has something to say', () => {
  const bodies = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((error) => JSON.stringify({ error })),
  )
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 999 }), bodies, (status, body) => {
      const failure = refuse(status, body)
      expect(failure.message).toMatch(/\S/)
      expect(failure.message.length).toBeLessThanOrEqual(400)
      expect(failure.status).toBeGreaterThanOrEqual(400)
    }),
  )
})
