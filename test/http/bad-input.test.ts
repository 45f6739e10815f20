import { connect } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({
    limits: { ...simulatorConfig.limits, bodyBytes: 1_048_576, choices: 16 },
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

type BadInput = {
  readonly name: string
  readonly body: string | Buffer
  readonly headers?: Record<string, string>
  readonly status: number
  readonly code: string | null
  readonly says: RegExp
}

const nested = (depth: number) => `{"model":"m","prompt":"p","x":${'['.repeat(depth)}${']'.repeat(depth)}}`

const badInputs: readonly BadInput[] = [
  { name: 'broken JSON', body: '{"model": "m", ', status: 400, code: 'invalid_json', says: /parse/ },
  { name: 'an empty body', body: '', status: 400, code: 'invalid_json', says: /empty/ },
  { name: 'null', body: 'null', status: 400, code: 'invalid_json', says: /object/ },
  { name: 'an array', body: '[1]', status: 400, code: 'invalid_json', says: /object/ },
  { name: 'a string', body: '"hello"', status: 400, code: 'invalid_json', says: /object/ },
  { name: 'nesting of 65', body: nested(64), status: 400, code: 'invalid_json', says: /64 levels/ },
  { name: 'nesting of 100,000', body: nested(100_000), status: 400, code: 'invalid_json', says: /64 levels/ },
  {
    name: 'a key __proto__',
    body: '{"model":"m","prompt":"p","__proto__":{"polluted":1}}',
    status: 400,
    code: 'invalid_json',
    says: /__proto__/,
  },
  {
    name: 'a key __proto__, nested and escaped',
    body: '{"model":"m","prompt":"p","x":[{"\\u005f_proto__":{"polluted":1}}]}',
    status: 400,
    code: 'invalid_json',
    says: /__proto__/,
  },
  {
    name: 'more than a hundred thousand keys',
    body: `{"model":"m","prompt":"p","x":[${Array(50_001).fill('{"":0}').join()}]}`,
    status: 400,
    code: 'invalid_json',
    says: /more than 100000 keys/,
  },
  {
    name: 'a stop string without end',
    body: JSON.stringify({ model: 'm', prompt: 'p', stop: ['x'.repeat(2000)] }),
    status: 400,
    code: 'invalid_type',
    says: /at most 1024 characters/,
  },
  {
    name: 'a thousand stop strings',
    body: JSON.stringify({ model: 'm', prompt: 'p', stop: Array(1000).fill('x') }),
    status: 400,
    code: 'array_above_max_length',
    says: /stop/,
  },
  {
    name: 'bad UTF-8',
    body: Buffer.concat([Buffer.from('{"model":"m","prompt":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    status: 400,
    code: 'invalid_json',
    says: /UTF-8/,
  },
  {
    name: 'a number as model',
    body: '{"model":5,"prompt":"p"}',
    status: 400,
    code: 'invalid_type',
    says: /model/,
  },
  {
    name: 'a body over the limit',
    body: JSON.stringify({ model: 'm', prompt: 'x'.repeat(2_000_000) }),
    status: 413,
    code: 'request_too_large',
    says: /1048576/,
  },
  {
    name: 'a gzip bomb',
    body: gzipSync(Buffer.alloc(50_000_000, 0x20)),
    headers: { 'content-encoding': 'gzip' },
    status: 413,
    code: 'request_too_large',
    says: /1048576/,
  },
  {
    name: 'a brotli bomb',
    body: brotliCompressSync(Buffer.alloc(20_000_000, 0x20)),
    headers: { 'content-encoding': 'br' },
    status: 413,
    code: 'request_too_large',
    says: /1048576/,
  },
  {
    name: 'gzip that is none',
    body: 'not compressed at all',
    headers: { 'content-encoding': 'gzip' },
    status: 400,
    code: null,
    says: /decompressed/,
  },
  {
    name: 'gzip cut short',
    body: gzipSync(Buffer.from('{"model":"m","prompt":"p"}')).subarray(0, 20),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
    code: null,
    says: /decompressed/,
  },
  {
    name: 'an unknown encoding',
    body: '{}',
    headers: { 'content-encoding': 'snappy' },
    status: 415,
    code: 'unsupported_media_type',
    says: /Content-Encoding/,
  },
  {
    name: 'no content-type',
    body: '{"model":"m","prompt":"p"}',
    headers: { 'content-type': '' },
    status: 415,
    code: 'unsupported_media_type',
    says: /application\/json/,
  },
  {
    name: 'a form, as curl -d sends it',
    body: '{"model":"m","prompt":"p"}',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
    code: 'unsupported_media_type',
    says: /application\/json/,
  },
  {
    name: 'another charset',
    body: '{"model":"m","prompt":"p"}',
    headers: { 'content-type': 'application/json; charset=utf-16' },
    status: 415,
    code: 'unsupported_media_type',
    says: /application\/json/,
  },
  {
    name: 'more choices than allowed',
    body: '{"model":"m","prompt":["a","b","c"],"n":6}',
    status: 400,
    code: null,
    says: /at most 16/,
  },
]

describe.for(badInputs)('$name', ({ body, headers, status, code, says }) => {
  test('is a clear error in OpenAI’s envelope', async () => {
    const answer = await send(gateway.url, '/v1/completions', body, headers)
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatch(/content-type: application\/json/i)
    expect(answer.headers).toMatch(/x-request-id: req_[0-9a-f]{32}/i)
    const { error } = JSON.parse(answer.body)
    expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code'])
    expect(error).toMatchObject({ type: 'invalid_request_error', code })
    expect(error.message).toMatch(says)
  })

  test('leaves the gateway answering, on this connection or a new one', async () => {
    const good = '{"model":"sim-echo","prompt":"still here"}'
    const answers = await sendTwo(gateway.url, '/v1/completions', body, headers, good)
    expect(answers).toContain('still here')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('on /inference', () => {
  test.for([
    ['{"model":', 'Invalid JSON body'],
    ['[]', 'Invalid JSON body'],
    ['null', 'Invalid JSON body'],
    ['{"prompt":"p"}', 'model field is required'],
    ['{"model":"","prompt":"p"}', 'model field is required'],
  ] as const)('%s is "%s"', async ([body, error]) => {
    const answer = await send(gateway.url, '/inference', body)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({ error })
  })
})

test('a body of 50 MB is refused without being read whole, while it is still being sent', async () => {
  const answer = await send(gateway.url, '/v1/completions', Buffer.alloc(50_000_000, 0x20))
  expect(answer.status).toBe(413)
})

test('a chunked body over the limit is refused, though it announces no length', async () => {
  const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
  const head =
    'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
  const text = await exchange(gateway.url, [head, ...Array.from({ length: 5 }, () => chunk), '0\r\n\r\n'])
  expect(text).toMatch(/^HTTP\/1.1 413 /)
  expect(text).toMatch(/connection: close/i)
})

test('text that mentions __proto__, or looks like an escape, is only text', async () => {
  const prompt = 'the key "__proto__": {} and \\u005f_proto__'
  const answer = await send(gateway.url, '/v1/completions', JSON.stringify({ model: 'sim-echo', prompt }))
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body).choices[0].text).toBe(prompt)
})

test.for(['gzip', 'deflate', 'br'] as const)('a body in %s is read', async (encoding) => {
  const { deflateSync } = await import('node:zlib')
  const compress = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding]
  const body = compress(Buffer.from('{"model":"sim-echo","prompt":"small again"}'))
  const answer = await send(gateway.url, '/v1/completions', body, { 'content-encoding': encoding })
  expect(JSON.parse(answer.body).choices[0].text).toBe('small again')
})

type Answer = { readonly status: number; readonly headers: string; readonly body: string }

async function send(
  url: string,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = await exchange(url, [requestHead(path, body, { connection: 'close', ...headers }), body])
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(head.slice(9, 12)), headers: head, body: rest.join('\r\n\r\n') }
}

/** Both on one connection, unless the first answer closes it: then the second on a connection of its own. */
async function sendTwo(
  url: string,
  path: string,
  first: string | Buffer,
  headers: Record<string, string> | undefined,
  second: string,
): Promise<string> {
  const last = requestHead(path, second, { connection: 'close' })
  const answers = await exchange(url, [requestHead(path, first, headers), first, last, second])
  if (!/connection: close/i.test(answers.split('\r\n\r\n')[0] ?? '')) return answers
  return answers + (await exchange(url, [last, second]))
}

function requestHead(path: string, body: string | Buffer, headers: Record<string, string> = {}): string {
  const all = { 'content-type': 'application/json', ...headers }
  const lines = Object.entries(all).filter(([, value]) => value !== '')
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${text}\r\n`
}

/** Writes the pieces and reads until the connection closes; a reset after the answer loses nothing of it. */
function exchange(url: string, pieces: readonly (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
    for (const piece of pieces) socket.write(piece)
  })
}
