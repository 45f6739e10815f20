import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { failureNames } from '../../../src/simulator/runpod/job-failures.ts'
import { type RunpodOptions, simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'

function start(options: Partial<RunpodOptions> = {}): Promise<SimulatedServer> {
  return simulateRunpod({ host: '127.0.0.1', port: 0, ...options })
}

type Answer = { readonly status: number; readonly text: string; readonly body: ReturnType<typeof JSON.parse> }

async function ask(
  { origin }: SimulatedServer,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = body === undefined ? { headers } : { method: 'POST', body: JSON.stringify(body), headers }
  const response = await fetch(`${origin}/v2/ep1/${path}`, sent)
  const text = await response.text()
  return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined }
}

type Batch = { readonly choices: readonly { readonly tokens: readonly string[] }[]; readonly usage: object }

const echo = { input: { prompt: 'one two', model: 'sim-echo' } }
const job = (model: string, more: object = {}) => ({ input: { prompt: 'one two', model, ...more } })

/** Asks until it is so; the test's own time limit ends a wait without success. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setImmediate()
}

/** Asks until the job is over; the test's own time limit ends a wait without success. */
async function over(fake: SimulatedServer, id: string): Promise<Answer['body']> {
  while (true) {
    const { body } = await ask(fake, `status/${id}`)
    if (!['IN_QUEUE', 'IN_PROGRESS'].includes(body.status)) return body
    await setImmediate()
  }
}

describe('a job', () => {
  test('is queued, is worked on, and completes', async () => {
    await using fake = await start({ coldMs: 30 })
    const { body } = await ask(fake, 'run', job('sim-slow-30-echo'))
    expect(body).toEqual({ id: expect.stringMatching(/-u1$/), status: 'IN_QUEUE' })
    await until(async () => (await ask(fake, `status/${body.id}`)).body.status === 'IN_PROGRESS')
    expect(await over(fake, body.id)).toEqual({
      ...{ id: body.id, status: 'COMPLETED', workerId: expect.any(String) },
      ...{ delayTime: expect.any(Number), executionTime: expect.any(Number) },
      output: [expect.objectContaining({ object: 'text_completion' })],
    })
  })

  test('is held by /runsync until it is over, or until the wait is', async () => {
    await using fake = await start({ longestWaitMs: 0 })
    expect((await ask(fake, 'runsync?wait=1000', job('sim-stall-0'))).body).toMatchObject({
      id: expect.stringMatching(/^sync-/),
      status: 'IN_PROGRESS',
    })
    await using patient = await start()
    expect((await ask(patient, 'runsync', echo)).body).toMatchObject({ status: 'COMPLETED' })
  })

  test('waits for a worker while all are taken', async () => {
    await using fake = await start({ workers: 1 })
    const first = (await ask(fake, 'run', job('sim-stall-0'))).body
    const second = (await ask(fake, 'run', echo)).body
    await until(async () => (await ask(fake, 'health')).body.workers.running === 1)
    expect((await ask(fake, `status/${second.id}`)).body.status).toBe('IN_QUEUE')
    expect((await ask(fake, `cancel/${first.id}`, {})).body).toEqual({ id: first.id, status: 'CANCELLED' })
    expect(await over(fake, second.id)).toMatchObject({ status: 'COMPLETED' })
  })

  test('that is cancelled in the queue was never worked on, and is not billed', async () => {
    await using fake = await start({ coldMs: 60_000 })
    const { id } = (await ask(fake, 'run', echo)).body
    expect((await ask(fake, `cancel/${id}`, {})).body.status).toBe('CANCELLED')
    expect(fake.bill()).toEqual([])
  })

  test('is forgotten after its time', async () => {
    await using fake = await start({ keptMs: 0 })
    const { id } = (await ask(fake, 'runsync', echo)).body
    for (const path of [`status/${id}`, `stream/${id}`]) expect((await ask(fake, path)).status).toBe(404)
    expect((await ask(fake, `cancel/${id}`, {})).status).toBe(404)
  })

  test('with an empty input is given up', async () => {
    await using fake = await start()
    const { body } = await ask(fake, 'runsync', { input: {} })
    expect(body).toMatchObject({ status: 'FAILED', error: 'job timed out after 1 retries' })
  })

  test('is billed by its time, under the name of the request that made it', async () => {
    await using fake = await start({ nanoUsdPerSecond: 1_000_000 })
    const { body } = await ask(fake, 'runsync', job('sim-slow-5-echo'), { 'x-request-id': 'req_1-0' })
    await ask(fake, `status/${body.id}`, undefined, { 'x-request-id': 'other' })
    const { executionTime } = body
    expect(fake.bill()).toEqual([
      {
        ...{
          attempt: 'req_1-0',
          model: 'sim-slow-5-echo',
          workedMs: executionTime,
          nanoUsd: executionTime * 1000,
        },
        ...{ promptTokens: 2, completionTokens: 2, cachedTokens: 0 },
      },
    ])
  })
})

describe('a stream', () => {
  const text = (pieces: readonly { output: string }[]) => pieces.map(({ output }) => output).join('')

  test('is reported once, in fragments', async () => {
    await using fake = await start({ fragmentBytes: 50 })
    const { id } = (await ask(fake, 'run', job('sim-echo', { stream: true }))).body
    await over(fake, id)
    const { body } = await ask(fake, `stream/${id}`)
    expect(body.status).toBe('COMPLETED')
    for (const { output } of body.stream.slice(0, -1)) expect(output).toHaveLength(50)
    expect(text(body.stream)).toMatch(/^data: \{.*"text":"one".*data: \[DONE\]\n\n$/s)
    expect((await ask(fake, `stream/${id}`)).body).toEqual({ status: 'COMPLETED', stream: [] })
  })

  test('expires before the job does', async () => {
    await using fake = await start({ streamedMs: 0 })
    const { id } = (await ask(fake, 'run', job('sim-echo', { stream: true }))).body
    await over(fake, id)
    expect((await ask(fake, `stream/${id}`)).status).toBe(404)
    expect((await ask(fake, `status/${id}`)).status).toBe(200)
  })

  test('of the old worker comes in growing batches, its counts in all', async () => {
    await using fake = await start({ generation: 'old', model: 'sim-long-60' })
    const { id } = (await ask(fake, 'run', { input: { prompt: 'Hi', stream: true } })).body
    await over(fake, id)
    const { stream } = (await ask(fake, `stream/${id}`)).body
    const told = stream.map(({ output }: { output: Batch }) => [
      output.choices[0]?.tokens[0]?.trim().split(' ').length,
      output.usage,
    ])
    expect(told).toEqual([
      [1, { input: 1, output: 1 }],
      [3, { input: 1, output: 4 }],
      [9, { input: 1, output: 13 }],
      [27, { input: 1, output: 40 }],
      [20, { input: 1, output: 60 }],
    ])
  })
})

describe('the output of a worker', () => {
  test.for([
    ['new', [{ object: 'text_completion', usage: { prompt_tokens: 2, completion_tokens: 2 } }]],
    ['old', [{ choices: [{ tokens: ['one two'] }], usage: { input: 2, output: 2 } }]],
    ['oldest', [{ text: ['one two'], input_tokens: 2, output_tokens: 2 }]],
  ] as const)('that is %s has its shape', async ([generation, output]) => {
    await using fake = await start({ generation })
    expect((await ask(fake, 'runsync', echo)).body.output).toMatchObject(output)
  })

  test.for([
    {
      openai_route: '/v1/chat/completions',
      openai_input: { model: 'sim-echo', messages: [{ role: 'user', content: 'Hi' }] },
    },
    {
      route: '/v1/chat/completions',
      method: 'POST',
      body: { model: 'sim-echo', messages: [{ role: 'user', content: 'Hi' }] },
    },
    { messages: [{ role: 'user', content: 'Hi' }], sampling_params: { max_tokens: 5 }, model: 'sim-echo' },
  ])('answers the input %j', async (input) => {
    await using fake = await start()
    const { output } = (await ask(fake, 'runsync', { input })).body
    expect(output[0].choices[0].message.content).toBe('Hi')
  })

  test.for([
    ['plain', /^Simulated status 400\.$/],
    [
      'exception',
      /^\{"error_type":"<class 'RuntimeError'>","error_message":"Simulated status 400\.","error_traceback":/,
    ],
    ['handler', /^handler: Simulated status 400\. \ntraceback: Traceback/],
    [
      'python',
      /^\{'message': 'vLLM returned HTTP 400: \{"error":\{.*\}', 'type': 'worker_error', 'code': None\}$/,
    ],
  ] as const)('that fails in the form %s comes with status 200', async ([errorForm, form]) => {
    await using fake = await start({ errorForm })
    const { status, body } = await ask(fake, 'runsync', job('sim-status-400'))
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: 'FAILED', error: expect.stringMatching(form) },
    })
  })
})

test.for(failureNames)('the fate of a job of %s is reported in both ways', async (model) => {
  await using fake = await start()
  expect((await ask(fake, 'runsync', job(model))).status).toBe(200)
  const { status, body } = await ask(fake, 'openai/v1/completions', { model, prompt: 'Hi' })
  expect(status).toBe(200)
  expect(body.choices).toBeUndefined()
})

describe('the endpoint', () => {
  test('counts jobs and workers, and scales to zero', async () => {
    await using fake = await start({ idleMs: 0 })
    const zero = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0 }
    expect((await ask(fake, 'health')).body.workers).toEqual(zero)
    await ask(fake, 'runsync', echo)
    expect((await ask(fake, 'health')).body).toEqual({
      jobs: { completed: 1, failed: 0, inProgress: 0, inQueue: 0, retried: 0 },
      workers: zero,
    })
  })

  test('tells of workers that start', async () => {
    await using fake = await start({ coldMs: 60_000 })
    await ask(fake, 'run', echo)
    expect((await ask(fake, 'health')).body).toMatchObject({
      jobs: { inQueue: 1 },
      workers: { initializing: 1 },
    })
  })

  test('asks for its key', async () => {
    await using fake = await start({ key: 'right' })
    expect((await ask(fake, 'health')).status).toBe(401)
    expect((await ask(fake, 'health', undefined, { authorization: 'Bearer right' })).status).toBe(200)
  })

  test('limits each operation by itself', async () => {
    await using fake = await start({ limits: { run: 1 } })
    expect((await ask(fake, 'run', echo)).status).toBe(200)
    expect((await ask(fake, 'run', echo)).status).toBe(429)
    expect((await ask(fake, 'runsync', echo)).status).toBe(200)
  })

  test.for([
    ['nothing', undefined, 404],
    ['openai/v1/models', {}, 404],
    ['status/unknown', undefined, 404],
    ['run', [], 400],
    ['run', { input: 'Hi' }, 400],
  ] as const)('answers %s with %j as %s', async ([path, body, status]) => {
    await using fake = await start()
    expect((await ask(fake, path, body)).status).toBe(status)
  })

  test('closes over jobs that would never end', async () => {
    const fake = await start()
    await ask(fake, 'run', job('sim-stall-0'))
    await fake[Symbol.asyncDispose]()
    await expect(ask(fake, 'health')).rejects.toThrow()
  })
})
