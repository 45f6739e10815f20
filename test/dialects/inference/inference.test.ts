import { describe, expect, test } from 'vitest'
import type { Chunk, Reply } from '../../../src/core/model/call.ts'
import { Failure, type FailureDetail, type FailureKind } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { inference } from '../../../src/dialects/inference/inference.ts'
import { chatDelta, incoming, textDelta, usage } from '../requests.ts'

const valid = { model: 'mistral-7b', prompt: 'Hello' }
const messages = [{ role: 'user', content: 'Hello' }]

const refused: [object, object][] = [
  [{ model: undefined }, { error: 'model field is required' }],
  [{ model: null }, { error: 'model field is required' }],
  [{ model: '' }, { error: 'model field is required' }],
  [{ model: 5 }, { error: 'model field is required' }],
  [{ prompt: undefined }, { error: 'prompt or messages field is required' }],
  [{ prompt: null, messages: null }, { error: 'prompt or messages field is required' }],
  [{ messages }, { error: 'give either prompt or messages, not both', param: 'messages' }],
  [
    { prompt: ['Hello'] },
    { error: "Invalid type for 'prompt': expected a string, but got an array instead.", param: 'prompt' },
  ],
  [
    { prompt: null, messages: 'Hello' },
    {
      error: "Invalid type for 'messages': expected an array of objects, but got a string instead.",
      param: 'messages',
    },
  ],
  [
    { prompt: null, messages: [{ role: 'user' }] },
    { error: "Missing required parameter: 'messages[0].content'.", param: 'messages[0].content' },
  ],
  [
    { stream: 'yes' },
    { error: "Invalid type for 'stream': expected a boolean, but got a string instead.", param: 'stream' },
  ],
  [
    { max_tokens: 1.5 },
    {
      error: "Invalid type for 'max_tokens': expected an integer, but got a decimal number instead.",
      param: 'max_tokens',
    },
  ],
  [
    { max_tokens: -1 },
    {
      error: "Invalid 'max_tokens': integer below minimum value. Expected a value >= 0, but got -1 instead.",
      param: 'max_tokens',
    },
  ],
  [
    { temperature: 'hot' },
    {
      error: "Invalid type for 'temperature': expected a decimal, but got a string instead.",
      param: 'temperature',
    },
  ],
  [{ n: 2 }, { error: 'n must be 1, because an answer has one output', param: 'n' }],
  [
    { best_of: 2, stream: true },
    { error: "The 'best_of' parameter must be 1 when 'stream' is enabled.", param: 'best_of' },
  ],
]

describe('POST /inference', () => {
  test.for(refused)('refuses %j with %j', ([sent, body]) => {
    const failure = failureOf({ ...valid, ...sent })
    expect(failure?.status).toBe(400)
    expect(inference.fail(failure as Failure)).toEqual(body)
  })

  const accepted: object[] = [
    {},
    { prompt: '' },
    { n: 1, max_tokens: 0 },
    { temperature: 5, top_p: 3 },
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    { region: 'eu', queue: { deep: [1, null] } },
    { prompt: null, messages },
    { max_tokens: null, temperature: null, stream: null, n: null },
  ]
  test.for(accepted)('accepts %j, strict or not', (sent) => {
    for (const strict of [false, true]) {
      const request = incoming({ ...valid, ...sent }, strict)
      expect(inference.parse(request).body).toBe(request.body)
    }
  })

  test('calls for text when it has a prompt, for a chat when it has messages', () => {
    const text = inference.parse(incoming(valid))
    const chat = inference.parse(incoming({ model: 'mistral-7b', messages }))
    expect([text.kind, chat.kind]).toEqual(['text', 'chat'])
  })

  test('wants the usage of every stream', () => {
    expect(inference.parse(incoming(valid))).toMatchObject({ stream: false, includeUsage: false })
    expect(inference.parse(incoming({ ...valid, stream: true }))).toMatchObject({
      stream: true,
      includeUsage: true,
    })
  })

  test('is the prefix itself, and no path below it', () => {
    expect(inference.prefixes.map((prefix) => prefix + inference.path)).toEqual(['/inference'])
  })
})

describe('An answer of /inference', () => {
  const head = '{"model":"mistral-7b","output":"Hello",'
  const counts = '"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}'

  const answers: [string, Partial<Chunk>, boolean, string][] = [
    ['has the four keys', {}, false, `${head}${counts},"slow":false}`],
    ['says when it was slow', {}, true, `${head}${counts},"slow":true}`],
    [
      'warns of what the upstream said beyond the schema, in its order',
      { region: 'eu', system_fingerprint: 'fp_1', queue_ms: 3 },
      false,
      `${head}${counts},"warning":"Ignored extra keys: ['region', 'queue_ms']","slow":false}`,
    ],
    [
      "does not warn of OpenAI's own keys",
      { system_fingerprint: 'fp_1', service_tier: 'default', usage: null },
      false,
      `${head}${counts},"slow":false}`,
    ],
  ]
  test.for(answers)('%s', ([, more, slow, text]) => {
    expect(rendered(textDelta('Hello', more).value, slow)).toBe(text)
  })

  test('holds nothing of usage but the three counts', () => {
    const { value: chunk } = textDelta('Hello')
    const reply: Reply = { chunk: JsonText.read(chunk, '{}'), usage: { ...usage, prompt_tokens_details: {} } }
    const call = inference.parse(incoming(valid))
    expect(inference.render(reply, call, { slow: false })).toBe(`${head}${counts},"slow":false}`)
  })

  const outputs: [string, Chunk, string][] = [
    ['the text of a completion', textDelta('Hello').value, 'Hello'],
    ['the content of a message', message('Hello'), 'Hello'],
    ['empty when a message has none', message(null), ''],
    ['the words of a refusal', refusing('I will not.'), 'I will not.'],
    ['empty when there is no choice', textDelta('', { choices: [] }).value, ''],
  ]
  test.for(outputs)('has as output %s', ([, chunk, output]) => {
    expect(JSON.parse(rendered(chunk, false)).output).toBe(output)
  })
})

describe('A stream of /inference', () => {
  test('has pieces of the answer, then usage and slow, then the terminator', () => {
    const stream = streamOf({ slow: true })
    const frames = stream.encode([textDelta('Hel'), textDelta(''), textDelta('lo', { region: 'eu' })])
    expect(frames).toBe(
      'data: {"model":"mistral-7b","output":"Hel"}\n\ndata: {"model":"mistral-7b","output":"lo"}\n\n',
    )
    expect(stream.end(usage)).toBe(
      'data: {"model":"mistral-7b","output":"","usage":{"prompt_tokens":5,"completion_tokens":2,' +
        '"total_tokens":7},"warning":"Ignored extra keys: [\'region\']","slow":true}\n\ndata: [DONE]\n\n',
    )
  })

  test('is made of the chunks of a chat as well, silent where they are', () => {
    const roleOnly = chatDelta('', {
      choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }],
    })
    const end = chatDelta('', { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    expect(streamOf({ slow: false }).encode([roleOnly, chatDelta('Hi'), end])).toBe(
      'data: {"model":"mistral-7b","output":"Hi"}\n\n',
    )
  })

  test('asks only at its end whether it was slow', () => {
    let slow = false
    const call = inference.parse(incoming({ ...valid, stream: true }))
    const stream = inference.encoder(call, () => ({ slow }))
    stream.encode([textDelta('Hello')])
    slow = true
    expect(stream.end(usage)).toContain('"slow":true')
  })

  test('breaks with one error frame and no terminator', () => {
    const failure = new Failure('interrupted', 'It ended early.', { provider: 'pandotate' })
    expect(streamOf({ slow: false }).fail(failure)).toBe(
      'data: {"error":"Upstream provider failed","provider":"pandotate","details":"It ended early."}\n\n',
    )
  })
})

const failures: [FailureKind, FailureDetail, object][] = [
  ['invalid_request', { code: 'invalid_json' }, { error: 'Invalid JSON body' }],
  [
    'upstream_error',
    { provider: 'p' },
    { error: 'Upstream provider failed', provider: 'p', details: 'Why.' },
  ],
  ['unreachable', { provider: 'p' }, { error: 'Upstream provider failed', provider: 'p', details: 'Why.' }],
  ['upstream_auth', { provider: 'p' }, { error: 'Upstream provider failed', provider: 'p', details: 'Why.' }],
  ['invalid_response', {}, { error: 'Upstream provider failed', details: 'Why.' }],
  ['timeout', { provider: 'p' }, { error: 'Upstream request timed out', provider: 'p' }],
  ['timeout', {}, { error: 'Upstream request timed out' }],
  ['rate_limited', { provider: 'p' }, { error: 'Why.', provider: 'p' }],
  ['rejected', { provider: 'p', param: 'prompt' }, { error: 'Why.', provider: 'p', param: 'prompt' }],
  ['unauthorized', {}, { error: 'Why.' }],
  ['internal', { cause: new Error('secret'), operatorNote: 'secret' }, { error: 'Why.' }],
]
test.for(failures)('The failure %s %j is reported by /inference as %j', ([kind, detail, body]) => {
  expect(inference.fail(new Failure(kind, 'Why.', detail))).toEqual(body)
})

function failureOf(body: JsonObject): Failure | undefined {
  try {
    inference.parse(incoming(body))
    return undefined
  } catch (thrown) {
    return thrown as Failure
  }
}

function rendered(chunk: Chunk, slow: boolean): string {
  const call = inference.parse(incoming(valid))
  return inference.render({ chunk: JsonText.read(chunk, '{"not":"used"}'), usage }, call, { slow })
}

function streamOf(told: { slow: boolean }) {
  return inference.encoder(inference.parse(incoming({ ...valid, stream: true })), () => told)
}

function refusing(refusal: string): Chunk {
  const chunk = message(null)
  return {
    ...chunk,
    choices: chunk.choices.map((choice) => ({ ...choice, message: { content: null, refusal } })),
  }
}

function message(content: string | null): Chunk {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' as const }]
  return chatDelta('', { object: 'chat.completion', choices }).value
}

test('What a chat’s callers are forgiven is mended here, too', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: { a: 1 } } }
  const messages = [
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', content: null, tool_call_id: 'call_1' },
  ]
  const asked = inference.parse(incoming({ model: 'm', messages }))
  expect({ ...asked, body: asked.body.value }).toMatchObject({
    converted: ['messages'],
    body: {
      messages: [
        { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
        { role: 'tool', content: '' },
      ],
    },
  })
})
