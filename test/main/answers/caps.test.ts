import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { serve } from '../../harness/core/core-gateway.ts'
import { simulatorConfig, startTestGateway } from '../../harness/gateway.ts'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, startRawServer } from '../../harness/raw-server.ts'
import { aCall, bursts, fail, textChunk } from '../../harness/scripted-upstream.ts'

const messages = [{ role: 'user', content: 'Hi' }]

describe('choices', () => {
  test.for([false, true])(
    'of which an upstream gives more than can have been asked for are no answer; streamed: %s',
    async (stream) => {
      const choices = Array.from({ length: 200 }, (_, index) => ({
        ...{ index, finish_reason: 'stop' },
        [stream ? 'delta' : 'message']: { role: 'assistant', content: 'Hi' },
      }))
      const reply = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices })
      await using upstream = await startRawServer((socket) =>
        socket.write(
          stream
            ? answer(`data: ${reply}\n\ndata: [DONE]\n\n`, {
                headers: { 'content-type': 'text/event-stream' },
              })
            : answer(reply),
        ),
      )
      await using gateway = await startGatewayAt(upstream.origin)
      const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', stream, messages })
      expect(heard.text).toContain('The upstream gave more choices than were requested.')
      expect(heard.status).toBe(502)
    },
  )

  test('are bounded by limits.choices, over all prompts', async () => {
    const { limits } = simulatorConfig
    await using gateway = await startTestGateway({ limits: { ...limits, choices: 4 } })
    const asked = (prompt: string[], n: number) =>
      ask(gateway, '/v1/completions', { model: 'sim-echo', prompt, n })
    expect(await asked(['a', 'b'], 2)).toMatchObject({ status: 200 })
    expect(await asked(['a', 'b'], 3)).toMatchObject({ status: 400 })
    expect(await asked(['a', 'b', 'c', 'd', 'e'], 1)).toMatchObject({ status: 400 })
  })
})

describe('what was said so far', () => {
  const text = aCall({ stream: true, body: { model: 'some-model', prompt: 'Say', max_tokens: 5_000_000 } })
  const cut = fail(new Failure('interrupted', 'The upstream broke off.'))
  const said = (pieces: number) => Array.from({ length: pieces }, () => textChunk('x'.repeat(1024 * 1024)))

  test.for([
    [2, 'continues elsewhere', 1],
    [5, 'is too long to go on with: the stream breaks off', 0],
  ] as const)('%i MiB, %s', async ([pieces, , calls]) => {
    const a = upstreamNamed('a', [...bursts(...said(pieces)), cut])
    const b = upstreamNamed('b', bursts(textChunk('!', 'stop')))
    const serving = serve([a, b])
    const { deltas, failure } = await readSafely(serving.stream(text))
    expect(b.calls).toHaveLength(calls)
    expect(failure?.kind).toBe(calls === 0 ? 'interrupted' : undefined)
    expect(deltas).toBeGreaterThan(0)
  })
})

async function readSafely(opening: ReturnType<ReturnType<typeof serve>['stream']>) {
  let deltas = 0
  try {
    const { bursts: all } = await opening
    for await (const burst of all as AsyncIterable<readonly unknown[]>) deltas += burst.length
    return { deltas, failure: undefined }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return { deltas, failure: thrown }
  }
}

describe('a stored response that is gone on with', () => {
  test('counts by what it unpacks to: it is turned away where others would be', async () => {
    const { limits } = simulatorConfig
    await using gateway = await startTestGateway({ limits: { ...limits, inFlightBytes: 60_000 } })
    const first = await ask(gateway, '/v1/responses', { model: 'sim-echo', input: 'x'.repeat(50_000) })
    expect(first.status).toBe(200)
    const [{ id }] = first.values as [{ id: string }]
    const leaving = new AbortController()
    const other = fetch(`${gateway.url}/v1/responses`, {
      ...{ method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ model: 'sim-stall-1', stream: true, input: 'wait' }),
    })
    const reader = (await other).body?.getReader()
    await reader?.read()
    const next = { model: 'sim-echo', input: 'y', previous_response_id: id }
    const refused = await ask(gateway, '/v1/responses', next)
    expect(refused).toMatchObject({ status: 503, values: [{ error: { code: 'gateway_overloaded' } }] })
    leaving.abort()
    await reader?.read().catch(() => undefined)
    await gateway.recorded(3)
    expect(await ask(gateway, '/v1/responses', next)).toMatchObject({ status: 200 })
  })
})
