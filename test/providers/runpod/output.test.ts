import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Delta, RawDelta } from '../../../src/core/model/call.ts'
import { asFailure, type FailureKind } from '../../../src/core/model/failure.ts'
import { fold } from '../../../src/core/model/fold/fold.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import { noKey } from '../../../src/providers/http-error/http-error.ts'
import { createOutputReader } from '../../../src/providers/runpod/output.ts'
import { call } from '../../harness/core/simulated-call.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/runpod/${name}`, import.meta.url), 'utf8')

type Options = { readonly kind?: Kind; readonly mayAnswerInText?: boolean; readonly maxTokens?: number }

/** What a caller gets of an output that arrived in these pieces. */
function told(
  outputs: readonly unknown[],
  { kind = 'chat', mayAnswerInText = false, maxTokens = 50 }: Options = {},
) {
  const reader = createOutputReader({
    call: call({ model: 'm', kind }),
    request: { text: '', isFull: (tokens) => tokens >= maxTokens, mayAnswerInText },
    asked: { ...noKey, provider: 'up', model: 'm', epochMs: 0 },
  })
  const parts = { kind, stream: true, id: 'id', model: 'm', createdEpochSeconds: 0, flags: new Set<string>() }
  const normalizer = createNormalizer(parts)
  const deltas: Delta[] = []
  const take = (raw: readonly RawDelta[]) => deltas.push(...normalizer.accept(raw))
  try {
    for (const output of structuredClone(outputs)) take(reader.read(output))
    take(reader.end())
    normalizer.finish()
  } catch (thrown) {
    return { failure: asFailure(thrown), text: '', isDamaged: reader.isDamaged }
  }
  const [choice] = fold(deltas)?.value.choices ?? []
  return {
    text: choice?.text ?? choice?.message?.content,
    reason: choice?.finish_reason,
    usage: normalizer.usage()?.raw,
    isDamaged: reader.isDamaged,
  }
}

const batch = (tokens: readonly string[], output: number) => ({
  choices: [{ tokens }],
  usage: { input: 9, output },
})
const counted = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }

describe('output is understood', () => {
  const reply = JSON.parse(fixture('chat-reply.json'))
  const chunks = fixture('chat.sse')
    .split('\n\n')
    .filter((data) => data.startsWith('data: {'))
    .map((data) => JSON.parse(data.slice(6)))

  test.for<readonly [string, readonly unknown[]]>([
    ['a list with OpenAI’s reply', [[reply]]],
    ['OpenAI’s reply', [reply]],
    ['the text of OpenAI’s reply', [[fixture('chat-reply.json')]]],
    ['that text in two', [fixture('chat-reply.json').slice(0, 3), fixture('chat-reply.json').slice(3)]],
    ['the text of a stream', [fixture('chat.sse')]],
    ['a list with the text of a stream in pieces', [fixture('chat.sse').match(/.{1,7}/gs)]],
    ['the text of a stream, letter by letter', [...fixture('chat.sse')]],
    ['that, begun with a comment', [`: ping\n\n${fixture('chat.sse')}`]],
    ['OpenAI’s chunks', chunks],
    ['batches', [batch(['one'], 1), batch([' ', 'two'], 2)]],
    ['a list of batches', [[batch(['one', ' two'], 2)]]],
    ['the oldest batches', [{ text: ['one two'], input_tokens: 9, output_tokens: 2 }]],
    ['a list of them', [[{ text: 'one two', input_tokens: 9, output_tokens: 2 }]]],
  ])('%s', ([, outputs]) => {
    expect(told(outputs)).toMatchObject({ text: 'one two', reason: 'stop', usage: counted, isDamaged: false })
  })

  test('batches for a text completion', () => {
    const outputs = [batch(['one'], 1), batch([' two'], 2)]
    expect(told(outputs, { kind: 'text' })).toMatchObject({ text: 'one two', reason: 'stop', usage: counted })
  })

  test('batches that reached the bound on tokens', () => {
    expect(told([batch(['one two'], 2)], { maxTokens: 2 })).toMatchObject({
      text: 'one two',
      reason: 'length',
    })
  })

  test.for<readonly unknown[]>([['one two'], ['one', ' two'], [['one', ' two']], [{ text: 'one two' }]])(
    'the bare text %j, of a worker that may give it',
    (outputs) => {
      expect(told(outputs, { mayAnswerInText: true })).toMatchObject({ text: 'one two', reason: 'stop' })
    },
  )

  test('bare text that is JSON itself', () => {
    expect(told(['{"name":', '"x"}'], { mayAnswerInText: true })).toMatchObject({
      text: '{"name":"x"}',
      reason: 'stop',
    })
  })
})

test('a character that was cut in two is noticed', () => {
  const text = fixture('chat.sse').replace(' two', '\ufffd\ufffd')
  const at = text.indexOf('\ufffd') + 1
  expect(told([text.slice(0, at), text.slice(at)])).toMatchObject({
    text: 'one\ufffd\ufffd',
    isDamaged: true,
  })
  expect(told([text])).toMatchObject({ isDamaged: false })
})

test.for<readonly [readonly unknown[], FailureKind]>([
  [[], 'invalid_response'],
  [[null], 'invalid_response'],
  [[[]], 'invalid_response'],
  [[7], 'invalid_response'],
  [[{}], 'invalid_response'],
  [[{ result: 'x' }], 'invalid_response'],
  [['one two'], 'invalid_response'],
  [['one'], 'invalid_response'],
  [['{"id":"x"}'], 'invalid_response'],
  [[fixture('chat-reply.json').slice(0, 40)], 'invalid_response'],
  [['data: {"choices":[{"index":0,"del'], 'interrupted'],
  [[fixture('chat.sse').slice(0, 420)], 'interrupted'],
  [['data: x\n\n', 'data: [DONE]\n\n'], 'invalid_response'],
  [[{ choices: [] }], 'interrupted'],
  [[[{ error: fixture('error-python.txt') }]], 'context_length'],
  [[{ object: 'error', message: 'n is too large', code: 400 }], 'rejected'],
  [['data: {"error":{"message":"n is too large","code":400}}\n\n'], 'rejected'],
  [[`data: ${JSON.stringify({ error: fixture('error-python.txt') })}\n\n`], 'context_length'],
])('the output %j is a failure', ([outputs, kind]) => {
  expect(told(outputs).failure?.kind).toBe(kind)
})
