import { describe, expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, chunk, lastChunk, startRawServer, streamHead } from '../../harness/raw-server.ts'

const messages = [{ role: 'user', content: 'x' }]
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
const message = { role: 'assistant', content: 'Hi' }
const envelope = { id: 'a', object: 'chat.completion', created: 1, model: 'm' }

function word(content: string, reason: string | null = null): string {
  return JSON.stringify({
    ...envelope,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, finish_reason: reason }],
  })
}

const usageAlone = JSON.stringify({ ...envelope, choices: [], usage })

/** Events as they are written, each with its line's end. */
function events(...data: readonly string[]): string {
  return data.map((each) => `data: ${each}\n\n`).join('')
}

function whole(reason: unknown, extra: object = { usage }): string {
  return JSON.stringify({ ...envelope, choices: [{ index: 0, message, finish_reason: reason }], ...extra })
}

/** What an answer came to: its reason, or the error that it ended with. */
function endOf(values: readonly unknown[]): unknown {
  const told = values as { error?: { code: string }; choices?: { finish_reason: unknown }[] }[]
  const error = told.find(({ error: one }) => one !== undefined)?.error
  if (error !== undefined) return error.code
  return told.flatMap(({ choices = [] }) => choices).findLast((choice) => choice.finish_reason !== null)
    ?.finish_reason
}

describe('what an upstream says, and what its caller hears', () => {
  const stop = word('', 'stop')
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['no reason, usage and a terminator', events(word('Hi'), usageAlone, '[DONE]'), 'stop'],
    ['no reason, usage and no terminator', events(word('Hi'), usageAlone), 'upstream_stream_interrupted'],
    ['no reason and a terminator', events(word('Hi'), '[DONE]'), 'upstream_stream_interrupted'],
    ['a strange reason and proofs', events(word('Hi', 'weary'), usageAlone, '[DONE]'), 'stop'],
    ['a strange reason alone', events(word('Hi', 'weary'), '[DONE]'), 'upstream_invalid_response'],
    [
      'that its machine gave out',
      events(word('Hi'), word('', 'insufficient_system_resource'), '[DONE]'),
      'upstream_stream_interrupted',
    ],
    ['that it was sensitive', events(word('Hi'), word('', 'sensitive'), '[DONE]'), 'content_filter'],
    ['that its window was full', events(word('Hi', 'model_context_window_exceeded')), 'length'],
    ['a small terminator', events(word('Hi'), stop, '[done]'), 'stop'],
    ['a terminator after two blanks', events(word('Hi'), stop, ' [DONE]'), 'stop'],
    ['nothing among its words', events(word('H'), 'null', word('i'), stop, '[DONE]'), 'stop'],
    ['no JSON after its end', events(word('Hi'), stop, 'bye', usageAlone, '[DONE]'), 'stop'],
    ['an error after its end', events(word('Hi'), stop, '{"error":{"message":"late"}}'), 'stop'],
    ['no JSON before its end', events(word('Hi'), 'bye', stop, '[DONE]'), 'upstream_invalid_response'],
  ]

  test.for(cases)('of a stream: %s', async ([, said, end]) => {
    await using server = await startRawServer((socket) =>
      socket.write(streamHead() + chunk(said) + lastChunk),
    )
    await using gateway = await startGatewayAt(server.origin)
    const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages, stream: true })
    expect(endOf(heard.values)).toBe(end)
    expect(heard.text.trimEnd().endsWith('data: [DONE]')).toBe(
      end === 'stop' || end === 'length' || end === 'content_filter',
    )
    // And so a caller hears who wants the answer whole.
    const folded = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
    expect(endOf(folded.values)).toBe(end)
  })

  const bodies: readonly (readonly [string, string, unknown])[] = [
    ['no reason, with usage', whole(null), 'stop'],
    ['an empty reason, with usage', whole(''), 'stop'],
    ['no reason, without usage', whole(null, {}), 'upstream_stream_interrupted'],
    ['a strange reason, with usage', whole('weary'), 'stop'],
    ['a strange reason, without usage', whole('weary', {}), 'upstream_invalid_response'],
    ['that it was sensitive', whole('sensitive'), 'content_filter'],
    ['that its network failed', whole('network_error'), 'upstream_stream_interrupted'],
  ]

  test.for(bodies)('of a JSON answer: %s', async ([, said, end]) => {
    await using server = await startRawServer((socket) => socket.write(answer(said)))
    await using gateway = await startGatewayAt(server.origin)
    for (const stream of [false, true]) {
      const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages, stream })
      expect(endOf(heard.values)).toBe(end)
    }
  })
})

test('a whole answer at the bound that was requested was cut by it', async () => {
  await using server = await startRawServer((socket) => socket.write(answer(whole(null))))
  await using gateway = await startGatewayAt(server.origin)
  for (const [bound, end] of [
    [4, 'length'],
    [5, 'stop'],
  ] as const) {
    const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages, max_tokens: bound })
    expect(endOf(heard.values)).toBe(end)
  }
  expect([...gateway.records[0]!.flags]).toEqual(['finish_reason_missing'])
})

test('a strange reason is reported beside the one it became, and warned of once', async () => {
  await using server = await startRawServer((socket) => socket.write(answer(whole('weary'))))
  await using gateway = await startGatewayAt(server.origin)
  for (let calls = 1; calls <= 2; calls++) {
    const { values } = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
    expect(values).toMatchObject([{ choices: [{ finish_reason: 'stop', native_finish_reason: 'weary' }] }])
    await gateway.recorded(calls)
  }
  expect(gateway.logged().match(/"reason":"weary"/g)).toHaveLength(1)
})

test.for([
  ['JSON that does not say so', '', whole('stop')],
  ['JSON that says it is a stream', 'content-type: text/event-stream\r\n', whole('stop')],
  ['JSON that says it is text', 'content-type: text/plain\r\n', whole('stop')],
  ['a stream that does not say so', '', events(word('Hi'), word('', 'stop'), '[DONE]')],
  ['a stream that says it is text', 'content-type: text/plain\r\n', events(word('Hi'), word('', 'stop'))],
  [
    'a stream that says it is JSON',
    'content-type: application/json\r\n',
    events(word('Hi'), word('', 'stop')),
  ],
] as const)('%s is read as what it is, whole and streamed', async ([, type, body]) => {
  await using server = await startRawServer((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${type}content-length: ${body.length}\r\n\r\n${body}`),
  )
  await using gateway = await startGatewayAt(server.origin)
  for (const stream of [false, true]) {
    const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages, stream })
    expect(heard.status).toBe(200)
    expect(endOf(heard.values)).toBe('stop')
    expect(heard.text).toContain('Hi')
  }
})
