import { describe, expect, test } from 'vitest'
import type { BasetenModel } from '../../../src/simulator/baseten/models.ts'
import { ask, chat, get, messages, start } from './harness.ts'

const bad = '{"error":"please check the api-key you provided"}'
const sync = '/production/sync/v1/chat/completions'

describe('the key', () => {
  test.for([
    ['Model APIs', chat, 'Bearer right', 200],
    ['Model APIs', chat, 'Api-Key right', 403],
    ['Model APIs', chat, 'Bearer wrong', 403],
    ['Model APIs', chat, undefined, 403],
    ['a deployment', sync, 'Bearer right', 200],
    ['a deployment', sync, 'Api-Key right', 200],
    ['a deployment', sync, 'Api-Key wrong', 403],
    ['a deployment', sync, undefined, 403],
    ['a deployment', '/production/wake', 'Api-Key right', 202],
    ['a deployment', '/production/wake', 'Api-Key wrong', 403],
    ['a path with nothing behind it', '/nowhere', 'Bearer wrong', 403],
  ] as const)('of %s at %s, %s: %i', async ([, path, authorization, status]) => {
    await using server = await start({ key: 'right' })
    const headers = authorization === undefined ? {} : { authorization }
    const outcome = await ask(server, path, { model: 'sim-echo', messages }, headers)
    expect(outcome.status).toBe(status)
    if (status === 403) expect(outcome.body).toBe(bad)
  })

  test('is asked for before a bad model is looked at, and for the list', async () => {
    await using server = await start({ key: 'right' })
    expect(await ask(server, chat, { model: 'no such', messages })).toMatchObject({ status: 403, body: bad })
    expect(await get(server, '/v1/models')).toMatchObject({ status: 403, body: bad })
  })
})

describe('Model APIs refuse', () => {
  test.for<readonly [model: string, status: number, body: object]>([
    [
      'openai/sim-status-400',
      400,
      { error: { code: 400, message: 'Simulated status 400.', type: 'Bad Request' } },
    ],
    ['zai-org/sim-status-400', 400, { message: 'Simulated status 400.', type: 'Bad Request', code: 400 }],
    ['deepseek-ai/sim-status-400', 400, { message: 'Simulated status 400.', type: 'Bad Request', code: 400 }],
    ['sim-status-401', 401, { error: 'please check the api-key you provided' }],
    ['sim-status-402', 402, { error: 'Simulated status 402.', error_code: 'client_error' }],
    ['sim-status-404', 404, { error: 'Simulated status 404.', error_code: 'model_does_not_exist' }],
    ['sim-status-413', 413, { error_code: 'payload_too_large' }],
    ['sim-ratelimit-7', 429, { error_code: 'rate_limited' }],
    ['sim-status-500', 500, { error: 'Internal Server Error' }],
    ['sim-status-503', 503, { error_code: 'model_unavailable' }],
    ['sim-status-504', 504, { error_code: 'timeout' }],
    ['sim-status-529', 529, { error_code: 'model_unavailable' }],
    ['a-model-nobody-has', 404, { error_code: 'model_does_not_exist' }],
    ['sim-no-such', 404, { error: expect.stringContaining('Known behaviours after sim- are') }],
  ])('%s with %i', async ([model, status, body]) => {
    await using server = await start()
    const outcome = await ask(server, chat, { model, messages })
    expect(outcome.status).toBe(status)
    expect(JSON.parse(outcome.body)).toMatchObject(body)
    expect(outcome.headers['retry-after']).toBe(status === 429 ? '7' : undefined)
    expect(server.bill()).toEqual([])
  })

  test.for<readonly [name: string, body: string, message: string]>([
    ['half a JSON', '{"model":', 'Invalid JSON'],
    ['a list', '[]', 'Invalid JSON'],
    ['no model', '{"messages":[]}', 'model and messages are required'],
    ['no messages', '{"model":"sim-echo"}', 'model and messages are required'],
  ])('%s', async ([, body, message]) => {
    await using server = await start()
    const outcome = await ask(server, chat, body)
    expect(outcome.status).toBe(400)
    expect(JSON.parse(outcome.body)).toEqual({ error: { code: 400, message, type: 'Bad Request' } })
  })
})

describe('a deployment refuses', () => {
  const truss = (code: string) => ({ 'x-baseten-error-source': '04', 'x-baseten-error-code': code })

  test.for<readonly [model: string, status: number, error: string, headers: object]>([
    ['sim-status-400', 400, 'Simulated status 400.', truss('700')],
    ['sim-status-403', 403, 'please check the api-key you provided', {}],
    ['sim-ratelimit-7', 429, 'Simulated rate limit. Please try again in 7s.', { 'retry-after': '7' }],
    ['sim-status-500', 500, 'Internal Server Error (in model/chainlet).', truss('600')],
    ['sim-status-502', 502, 'Error making prediction', {}],
    ['sim-status-503', 503, 'Model with name sim-status-503 is not ready.', truss('600')],
    ['sim-status-504', 504, 'Simulated status 504.', {}],
  ])('%s with %i, by its server and by predict', async ([model, status, error, headers]) => {
    await using server = await start()
    for (const [path, stream] of [
      [sync, false],
      [sync, true],
      ['/production/predict', false],
      ['/production/predict', true],
    ] as const) {
      const outcome = await ask(server, path, { model, messages, stream })
      expect(outcome.status).toBe(status)
      expect(JSON.parse(outcome.body)).toMatchObject({ error })
      expect(outcome.headers).toMatchObject(headers)
    }
  })

  test('half a JSON', async () => {
    await using server = await start()
    for (const path of [sync, '/production/predict']) {
      const outcome = await ask(server, path, '{"model":')
      expect(outcome).toMatchObject({ status: 400, body: '{"error":"Invalid JSON payload"}' })
    }
  })
})

describe('the bill', () => {
  const id = { 'x-request-id': 'req_1-0' }

  test('of Model APIs is by tokens, for what was generated', async () => {
    const model: BasetenModel = {
      id: 'openai/sim-echo',
      contextTokens: 100,
      input: '0.000001',
      output: '0.000002',
      engine: 'a',
    }
    const cut: BasetenModel = { ...model, id: 'openai/sim-cut-1-echo' }
    await using server = await start({ models: [model, cut] })
    await ask(server, chat, { model: model.id, messages }, id)
    await ask(server, chat, { model: cut.id, messages, stream: true })
    await ask(server, chat, { model: 'sim-echo', messages })
    expect(server.bill()).toMatchObject([
      { attempt: 'req_1-0', model: model.id, promptTokens: 2, completionTokens: 2, nanoUsd: 6000 },
      { attempt: undefined, model: cut.id, promptTokens: 2, completionTokens: 1, nanoUsd: 4000 },
      { model: 'sim-echo', nanoUsd: undefined },
    ])
  })

  test('of a deployment is by the time it worked, also where it failed', async () => {
    let now = 0
    await using server = await start({ nanoUsdPerSecond: 1_000_000, now: () => (now += 250) })
    await ask(server, sync, { model: 'sim-echo', messages }, id)
    await ask(server, '/environments/staging/predict', { model: 'sim-echo', messages, stream: true })
    await ask(server, '/predict', { model: 'sim-status-500', messages })
    expect(server.bill()).toMatchObject([
      {
        attempt: 'req_1-0',
        model: 'deployment:production',
        workedMs: 250,
        nanoUsd: 250_000,
        completionTokens: 2,
      },
      { model: 'deployment:environments/staging', workedMs: 250, nanoUsd: 250_000, completionTokens: 2 },
      { model: 'deployment:regional', workedMs: 250, nanoUsd: 250_000, completionTokens: 0 },
    ])
  })

  test('of a deployment without a price is not known', async () => {
    await using server = await start()
    await ask(server, sync, { model: 'sim-echo', messages })
    expect(server.bill()).toMatchObject([{ nanoUsd: undefined }])
  })
})
