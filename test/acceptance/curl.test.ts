import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeDirectory } from '../harness/directory.ts'
import { runShell } from './child.ts'
import { checkError, checkInference, checkReply } from './openai/shape.ts'
import { checkInferenceStream, checkStream } from './openai/stream-shape.ts'
import { type Stack, startAlone } from './stack.ts'

let stack: Stack
let directory: string
beforeAll(async () => {
  stack = await startAlone({ environment: { SLOW_THRESHOLD_MS: '60000' } })
  directory = await mkdtemp(join(tmpdir(), 'curl-'))
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await removeDirectory(directory)
})

const json = "-H 'Content-Type: application/json'"
const hello = `-d '{"model":"sim-echo","prompt":"hello there"}'`
const helloChat = `{"model":"sim-echo","stream":true,"messages":[{"role":"user","content":"hello there"}]}`

describe('curl', () => {
  test('asks /inference and gets an output', async () => {
    const { status, body } = await curl('/inference', `${json} ${hello}`)
    expect(status).toBe(200)
    checkInference(JSON.parse(body))
    expect(JSON.parse(body)).toEqual({
      model: 'sim-echo',
      output: 'hello there',
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
      slow: false,
    })
  })

  test('is warned of what the upstream said beyond the schema', async () => {
    const { body } = await curl('/inference', `${json} -d '{"model":"sim-extra","prompt":"x"}'`)
    expect(JSON.parse(body).warning).toBe("Ignored extra keys: ['region', 'queue_ms']")
  })

  test('asks for a completion', async () => {
    const { status, head, body } = await curl('/v1/completions', `${json} ${hello}`)
    expect(status).toBe(200)
    expect(head).toMatch(/^x-pandotate-provider: simulator$/im)
    checkReply(JSON.parse(body), 1)
  })

  test('reads a stream of a chat as it comes', async () => {
    const { head, body } = await curl('/v1/chat/completions', `-N ${json} -d '${helloChat}'`)
    expect(head).toMatch(/^content-type: text\/event-stream; charset=utf-8$/im)
    expect(head).toMatch(/^cache-control: no-store, no-transform$/im)
    checkStream(body, { includesUsage: false, choiceCount: 1, isWhole: true })
    expect(body).toMatch(/data: \[DONE\]\n\n$/)
  })

  test.for(['prompt', 'messages'] as const)('reads a stream of /inference, asked with %s', async (way) => {
    const asked =
      way === 'prompt' ? '"prompt":"hello there"' : '"messages":[{"role":"user","content":"hello there"}]'
    const { body } = await curl('/inference', `-N ${json} -d '{"model":"sim-echo","stream":true,${asked}}'`)
    checkInferenceStream(body)
    expect(outputOf(body)).toBe('hello there')
  })

  test('gets the first word of a stream long before its end', async () => {
    const asked = `{"model":"sim-long-100000-drip-20","stream":true,"prompt":"x"}`
    const { body } = await curl('/v1/completions', `-N ${json} -d '${asked}' | head -n 1`)
    expect(body).toMatch(/^data: \{.*"text":"river"/)
  })

  test('sends a file', async () => {
    const file = join(directory, 'body.json')
    await writeFile(file, '{\n  "model": "sim-echo",\n  "prompt": "from a file"\n}\n')
    const { body } = await curl('/v1/completions', `${json} -d @${file}`)
    expect(JSON.parse(body).choices[0].text).toBe('from a file')
  })

  test('sends two megabytes after asking whether it may', async () => {
    const file = join(directory, 'large.json')
    const prompt = 'word '.repeat(400_000)
    await writeFile(file, JSON.stringify({ model: 'sim-length', prompt, max_tokens: 3 }))
    const asked = `${json} -H 'Expect: 100-continue' --expect100-timeout 20 --data-binary @${file}`
    const { status, head, body } = await curl('/v1/completions', asked)
    expect(head).toMatch(/^HTTP\/1\.1 100 Continue/)
    expect(status).toBe(200)
    expect(JSON.parse(body).usage).toEqual({
      prompt_tokens: 400_000,
      completion_tokens: 3,
      total_tokens: 400_003,
    })
  })

  test('sends a compressed body', async () => {
    const file = join(directory, 'body.json.gz')
    await writeFile(file, gzipSync('{"model":"sim-echo","prompt":"unpacked"}'))
    const { body } = await curl(
      '/v1/completions',
      `${json} -H 'Content-Encoding: gzip' --data-binary @${file}`,
    )
    expect(JSON.parse(body).choices[0].text).toBe('unpacked')
  })

  test.for([
    ['JSON', `${json} ${hello}`],
    [
      'a stream',
      `${json} -d '${helloChat.replace('messages', 'prompt').replace(/\[.*\]/, '"hello there"')}'`,
    ],
  ] as const)('speaks HTTP/1.0 and gets %s', async ([, asked]) => {
    const { status, body } = await curl('/v1/completions', `--http1.0 ${asked}`)
    expect(status).toBe(200)
    expect(body).toContain('hello')
    expect(body).not.toMatch(/^[0-9a-f]+\r$/m)
  })
})

describe('what is wrong is told to curl', () => {
  test('when it does not say that it sends JSON, with what to add', async () => {
    const { status, body } = await curl('/v1/completions', hello)
    expect(status).toBe(415)
    checkError(JSON.parse(body))
    expect(body).toContain('Content-Type: application/json')
  })

  test.for<[string, string, string, number, string]>([
    ['a path nobody serves', '/nonsense', '', 404, 'unknown_url'],
    ['a path that ends in a slash', '/v1/completions/', `${json} ${hello}`, 404, 'unknown_url'],
    ['a model with a bad escape', '/v1/models/%E0%A4%A', '', 404, 'model_not_found'],
    ['a GET of what takes a POST', '/v1/completions', '', 405, 'method_not_supported'],
    ['a list of stored chats', '/v1/chat/completions', '', 501, 'not_implemented'],
    ['a DELETE of a model', '/v1/models/m', '-X DELETE', 501, 'not_implemented'],
    ['an unknown method', '/v1/completions', '-X PROPFIND', 405, 'method_not_supported'],
    ['broken JSON', '/v1/completions', `${json} -d '{"model":'`, 400, 'invalid_json'],
  ])('about %s', async ([, path, asked, status, code]) => {
    const answer = await curl(path, asked)
    expect(answer.status).toBe(status)
    checkError(JSON.parse(answer.body))
    expect(JSON.parse(answer.body).error.code).toBe(code)
    expect(answer.head).toMatch(/^x-request-id: req_[0-9a-f]{32}$/im)
    if (status === 405) expect(answer.head).toMatch(/^allow: (POST|HEAD, GET)$/im)
  })

  test.for([
    ['broken JSON', `${json} -d '{"model":'`, 400, 'Invalid JSON body'],
    ['a list', `${json} -d '[]'`, 400, 'Invalid JSON body'],
    ['no model', `${json} -d '{"prompt":"x"}'`, 400, 'model field is required'],
    ['a model that is a number', `${json} -d '{"model":7,"prompt":"x"}'`, 400, 'model field is required'],
    ['another method', '-X PUT', 405, /PUT/],
  ] as const)('in /inference’s own shape, about %s', async ([, asked, status, error]) => {
    const answer = await curl('/inference', asked)
    expect(answer.status).toBe(status)
    checkInference(JSON.parse(answer.body))
    expect(JSON.parse(answer.body).error).toMatch(error)
  })
})

describe('other methods', () => {
  test('HEAD has the headers of GET and no body', async () => {
    for (const path of ['/livez', '/health', '/v1/models']) {
      const { status, head, body } = await curl(path, '-I')
      expect(status).toBe(200)
      expect(head).toMatch(/^content-length: [1-9]\d*$/im)
      expect(body).toBe('')
    }
  })

  test('OPTIONS names the methods', async () => {
    const { status, head } = await curl('/v1/completions', '-X OPTIONS')
    expect(status).toBe(200)
    expect(head).toMatch(/^allow: POST$/im)
    expect(head).toMatch(/^x-request-id: req_/im)
  })

  test('nothing is ever redirected', async () => {
    for (const path of ['/v1/completions/', '//v1/completions', '/V1/completions', '/inference/']) {
      expect((await curl(path, `${json} ${hello}`)).status).toBe(404)
    }
  })
})

describe('the system’s own pages', () => {
  test.for([
    ['/livez', { status: 'ok' }],
    ['/readyz', { status: 'ok' }],
    ['/health', { status: 'ok', demo: true }],
  ] as const)('%s', async ([path, body]) => {
    const answer = await curl(path, '')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject(body)
  })

  test('/metrics counts the calls', async () => {
    await curl('/v1/completions', `${json} ${hello}`)
    const { head, body } = await curl('/metrics', '')
    expect(head).toMatch(/^content-type: text\/plain; version=0\.0\.4/im)
    expect(body).toMatch(/^pandotate_calls_total\{dialect="completions",status="200",outcome="ok"\} [1-9]/m)
  })
})

type Answer = { readonly status: number; readonly head: string; readonly body: string }

/** Runs curl as a person would, through a shell. The last status counts: a 100 may come before. */
async function curl(path: string, words: string): Promise<Answer> {
  const [asked = '', pipe] = words.split(' | ')
  const isHead = asked.includes('-I')
  const headFile = join(directory, `head-${crypto.randomUUID()}`)
  const command = `curl -sS ${asked} -D ${headFile} ${isHead ? '-o /dev/null' : ''} '${stack.gateway.url}${path}'`
  const piped = pipe === undefined ? '' : ` | ${pipe}`
  const { stdout } = await runShell(`${command}${piped}`)
  const { stdout: head } = await runShell(`cat ${headFile}`)
  const lines = head.replaceAll('\r\n', '\n')
  const status = Number([...lines.matchAll(/^HTTP\/1\.\d (\d{3})/gm)].at(-1)?.[1])
  return { status, head: lines, body: stdout }
}

function outputOf(stream: string): string {
  const payloads = stream.split('\n\n').filter((frame) => frame.startsWith('data: {'))
  return payloads.map((frame) => JSON.parse(frame.slice('data: '.length)).output).join('')
}
