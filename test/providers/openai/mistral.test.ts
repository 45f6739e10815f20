import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { presets, quirksOf } from '../../../src/providers/openai/presets.ts'
import { openAiRequest } from '../../../src/providers/openai/request.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'
import { chatReply, chatStream, choicesOf, openSpoken, type Speaking } from '../../main/answers/spoken.ts'
import { mistralRefusal } from './mistral-rules.ts'

const user = { role: 'user', content: 'Hi' }
const calling = (...ids: readonly string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
})
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: '7' })

/** What is sent to Mistral for a chat, and what is reported. */
function sent(body: JsonObject) {
  const attempt = startAttempt('m')
  const quirks = quirksOf(presets.mistral, {})
  const asked = call({ model: 'm', kind: 'chat', body: { model: 'm', ...body } })
  const { text } = openAiRequest(asked, attempt, {
    asksUsage: false,
    renames: quirks.renames ?? {},
    drops: quirks.drops ?? [],
    adapt: quirks.adapt ?? ((given) => given),
    prefix: quirks.prefix,
  })
  const heard = JSON.parse(text) as JsonObject & { readonly messages: readonly JsonObject[] }
  return { heard, notes: attempt.notes }
}

describe('a chat is sent as Mistral takes it', () => {
  test.for<[string, JsonObject[], JsonObject[]]>([
    ['plain', [user], [user]],
    [
      'with a turn of the assistant’s after the result of a tool',
      [user, calling('aaaaaaaa1'), result('aaaaaaaa1'), user],
      [user, calling('aaaaaaaa1'), result('aaaaaaaa1'), { role: 'assistant', content: 'Done.' }, user],
    ],
    [
      'with what the system says in the middle as a user’s',
      [user, { role: 'assistant', content: 'A' }, { role: 'developer', content: 'Be brief.' }, user],
      [user, { role: 'assistant', content: 'A' }, { role: 'user', content: 'Be brief.' }, user],
    ],
    [
      'with the beginning of an answer marked',
      [user, { role: 'assistant', content: 'Once' }],
      [user, { role: 'assistant', content: 'Once', prefix: true }],
    ],
    [
      'without an assistant that said nothing but its thoughts',
      [user, { role: 'assistant', content: '', reasoning_content: 'Hm.' }, user],
      [user, user],
    ],
    [
      'with a file as a document, and a sound as it is',
      [
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
            { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
          ],
        },
      ],
      [
        {
          role: 'user',
          content: [
            {
              type: 'document_url',
              document_url: 'data:application/pdf;base64,aGk=',
              document_name: 'a.pdf',
            },
            { type: 'input_audio', input_audio: 'UklG' },
          ],
        },
      ],
    ],
  ])('%s', ([, messages, expected]) => {
    const { heard } = sent({ messages })
    expect(heard.messages).toEqual(expected)
    expect(mistralRefusal(heard)).toBeUndefined()
  })

  test('with ids of nine letters and digits, the same for the same, each other for each other', () => {
    const messages = [
      user,
      calling('call_a', 'call_b', 'aaaaaaaa1'),
      ...['call_b', 'call_a', 'aaaaaaaa1'].map(result),
    ]
    const { heard, notes } = sent({ messages })
    const [, made, ...results] = heard.messages
    const ids = (made as typeof made & ReturnType<typeof calling>).tool_calls.map(({ id }) => id)
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe('aaaaaaaa1')
    expect(results.map(({ tool_call_id: id }) => id)).toEqual([ids[1], ids[0], ids[2]])
    expect(notes.converted).toContain('ids of tool calls to nine letters and digits')
    const later = sent({ messages: [...messages, { role: 'assistant', content: 'A' }, user] })
    expect(later.heard.messages.slice(0, 5)).toEqual(heard.messages)
  })

  test('without fields of messages it does not know, which are named', () => {
    const { heard, notes } = sent({
      messages: [
        { ...user, name: 'ann' },
        { role: 'assistant', content: 'A', refusal: null, annotations: [], reasoning_content: 'Hm.' },
        user,
      ],
    })
    expect(mistralRefusal(heard)).toBeUndefined()
    expect(notes.dropped).toEqual(['messages[].name', 'messages[].reasoning_content'])
  })

  test('with its own words for the fields that it has', () => {
    const { heard, notes } = sent({
      messages: [user],
      max_completion_tokens: 5,
      seed: 7,
      reasoning_effort: 'medium',
      prompt_cache_key: 'k',
      verbosity: 'low',
      user: 'u',
    })
    expect(heard).toMatchObject({ max_tokens: 5, random_seed: 7, reasoning_effort: 'high' })
    expect(mistralRefusal(heard)).toBeUndefined()
    expect(notes.dropped).toEqual(['user', 'verbosity', 'prompt_cache_key'])
  })
})

test('whatever the conversation, it is one that Mistral takes', () => {
  const words = fc.constantFrom('', 'A', 'B')
  const id = fc.constantFrom('call_1', 'call_2', 'aaaaaaaa1', 'x')
  const turn = fc.oneof(
    fc.record({ role: fc.constantFrom('system', 'developer', 'user'), content: words, name: words }),
    fc.record({ role: fc.constant('assistant'), content: words, reasoning_content: words }),
    fc.array(id, { minLength: 1, maxLength: 2 }).map((ids) => [calling(...ids), ...ids.map(result)]),
  )
  const conversation = fc
    .array(turn, { maxLength: 8 })
    .map((turns) => [user, ...turns.flat()] as readonly JsonObject[])
  fc.assert(
    fc.property(conversation, (messages) => {
      expect(mistralRefusal(sent({ messages }).heard)).toBeUndefined()
    }),
  )
})

describe('from end to end', () => {
  const mistral = (speak: Speaking) =>
    openSpoken({ mistral: { settings: { preset: 'mistral', apiKey: 'k' }, speak } })

  test.for([false, true])(
    'an answer that begins with what its caller has is told without, streamed: %s',
    async (stream) => {
      await using scene = await mistral((body) =>
        body['stream'] === true
          ? chatStream({ content: 'Once' }, { content: ' upon a' }, { content: ' time' })
          : chatReply({ content: 'Once upon a time' }),
      )
      const told = await scene.ask('/chat/completions', {
        stream,
        messages: [user, { role: 'assistant', content: 'Once upon' }],
      })
      const spoken = stream ? told.chunks.flatMap(({ choices }) => choices) : choicesOf(told)
      const words = spoken.map(({ delta, message }) => (delta ?? message)?.['content'] ?? '')
      expect(words.join('')).toBe(' a time')
    },
  )

  test('embeddings are asked for in its own words', async () => {
    await using scene = await mistral(() => ({
      ...{ object: 'list', model: 'm', data: [{ index: 0, object: 'embedding', embedding: [0.5, 0.25] }] },
    }))
    const told = await scene.ask('/embeddings', { input: 'a', dimensions: 2, user: 'u' })
    expect(scene.sent('mistral')).toEqual([{ model: 'm', input: 'a', output_dimension: 2 }])
    expect(told.body).toMatchObject({ data: [{ embedding: [0.5, 0.25] }] })
    expect(told.headers.get('x-pandotate-dropped-params')).toBe('user')
  })

  test('thoughts among the parts of its content are reported separately from what it says', async () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hmm.' }] },
      { type: 'text', text: 'Four.' },
    ]
    await using scene = await mistral(() => chatReply({ content }))
    const told = await scene.ask('/chat/completions', { messages: [user] })
    expect(choicesOf(told)[0]?.message).toEqual({
      ...{ role: 'assistant', content: 'Four.', reasoning_content: 'Hmm.' },
    })
  })
})
