import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import {
  chatReply,
  chatStream,
  choicesOf,
  openSpoken,
  type Speaking,
  textReply,
  textStream,
} from './spoken.ts'

const chatOnly = { preset: 'deepseek' }
const textOnly = { kinds: ['text'] }

const chats: Speaking = (body) =>
  body['stream'] === true
    ? chatStream(
        { role: 'assistant', content: '' },
        { reasoning_content: 'hm' },
        { content: 'one' },
        { content: ' two' },
      )
    : chatReply({ content: 'one two', reasoning_content: 'hm' })

const texts: Speaking = (body) =>
  body['stream'] === true ? textStream(' one', ' two') : textReply({ text: ' one two' })

describe('a text call where there are only chats', () => {
  test('is what a user says, and the answer is its text', async () => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const told = await scene.ask('/completions', {
      prompt: 'Once',
      max_tokens: 5,
      top_k: 3,
      suffix: '',
      n: 1,
    })
    expect(scene.sent('deepseek')).toEqual([
      { model: 'm', max_tokens: 5, top_k: 3, n: 1, messages: [{ role: 'user', content: 'Once' }] },
    ])
    expect(scene.servers['deepseek']?.requests[0]?.path).toBe('/v1/chat/completions')
    expect(told.body).toEqual({
      ...{ id: 'up-1', object: 'text_completion', created: 1_700_000_000, model: 'there' },
      choices: [{ index: 0, finish_reason: 'stop', text: 'one two', logprobs: null }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    })
    const record = await scene.gateway.recorded()
    expect([...record.converted]).toEqual(['prompt to messages'])
  })

  test('streams as text, its usage at the end', async () => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const asked = { prompt: 'Once', stream: true, stream_options: { include_usage: true } }
    const { chunks, text } = await scene.ask('/completions', asked)
    expect(chunks.flatMap(({ choices }) => choices).map(({ text: words }) => words)).toEqual([
      '',
      '',
      'one',
      ' two',
      '',
    ])
    for (const chunk of chunks) {
      expect(chunk['object']).toBe('text_completion')
      for (const choice of chunk.choices) expect(choice).not.toHaveProperty('delta')
    }
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } })
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('of several prompts is several chats, their indices interleaved', async () => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const { chunks } = await scene.ask('/completions', { prompt: ['a', 'b'], stream: true })
    const said = new Map<number, string>()
    for (const { choices } of chunks) {
      for (const { index, text } of choices) said.set(index, (said.get(index) ?? '') + text)
    }
    expect([...said].toSorted()).toEqual([
      [0, 'one two'],
      [1, 'one two'],
    ])
    expect(scene.sent('deepseek').map(({ messages }) => messages)).toEqual(
      ['a', 'b'].map((content) => [{ role: 'user', content }]),
    )
  })

  test.for<[string, JsonObject, readonly string[], readonly string[]]>([
    ['one prompt', { prompt: [15339, 1917] }, ['hello world'], ['one two']],
    ['several', { prompt: [[15339], [1917]] }, ['hello', ' world'], ['one two', 'one two']],
    ['one, in a list', { prompt: [[15339]] }, ['hello'], ['one two']],
    ['one of two choices', { prompt: [15339], n: 2 }, ['hello', 'hello'], ['one two', 'one two']],
    ['one that is echoed', { prompt: [15339, 1917], echo: true }, ['hello world'], ['hello worldone two']],
  ])('of token ids is the text they stand for, and said to be: %s', async ([, asked, contents, answers]) => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const told = await scene.ask('/completions', asked)
    expect(choicesOf(told).map(({ text }) => text)).toEqual(answers)
    expect(scene.sent('deepseek').map(({ messages }) => messages)).toEqual(
      contents.map((content) => [{ role: 'user', content }]),
    )
    const { converted } = await scene.gateway.recorded()
    expect([...converted]).toEqual(
      expect.arrayContaining(['token ids to text (cl100k_base)', 'prompt to messages']),
    )
  })

  test('of what is no token id of the vocabulary is refused, before anything is sent', async () => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const { status } = await scene.ask('/completions', { prompt: [99_999_999] })
    expect(status).toBe(400)
    expect(scene.servers['deepseek']?.requests).toHaveLength(0)
  })

  test('has its prompt echoed', async () => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const told = await scene.ask('/completions', { prompt: ['Once: ', 'Twice: '], echo: true })
    expect(choicesOf(told).map(({ text }) => text)).toEqual(['Once: one two', 'Twice: one two'])
    const { chunks } = await scene.ask('/completions', { prompt: 'Once: ', echo: true, stream: true })
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe('Once: one two')
  })

  test.for<[JsonObject, string]>([
    [{ suffix: 'after' }, 'suffix'],
    [{ logprobs: 0 }, 'logprobs'],
    [{ logprobs: 2, echo: true }, 'logprobs'],
    [{ best_of: 3 }, 'best_of'],
  ])('with %j is refused by name, before anything is sent', async ([fields, param]) => {
    await using scene = await openSpoken({ deepseek: { settings: chatOnly, speak: chats } })
    const { status, body } = await scene.ask('/completions', { prompt: 'Once', ...fields })
    expect(status).toBe(400)
    expect(body['error']).toMatchObject({ param, code: 'unsupported_parameter' })
    expect((body['error'] as JsonObject)['message']).toContain(`'${param}'`)
    expect(scene.servers['deepseek']?.requests).toHaveLength(0)
  })
})

describe('a chat where there are only texts', () => {
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Hi.' }] },
  ]

  test.for([
    ['mistralai/Mistral-7B-Instruct-v0.3', '[INST] Be brief.\n\nHi.[/INST]', 'one two', ['</s>', '[INST]']],
    [
      'meta-llama/Llama-3.1-8B-Instruct',
      '<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>' +
        '<|start_header_id|>user<|end_header_id|>\n\nHi.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
      ' one two',
      ['<|eot_id|>', '<|eom_id|>'],
    ],
    [undefined, 'System: Be brief.\n\nUser: Hi.\n\nAssistant:', ' one two', ['\nUser:']],
  ] as const)('is a prompt by the template of %s', async ([model, prompt, content, ends]) => {
    const place = { settings: textOnly, speak: texts, ...(model === undefined ? {} : { model }) }
    await using scene = await openSpoken({ base: place })
    const asked = { messages, max_completion_tokens: 9, stop: ['END'], n: 1, store: true, seed: 4 }
    const told = await scene.ask('/chat/completions', asked)
    expect(scene.sent('base')).toEqual([
      { model: model ?? 'm', n: 1, seed: 4, prompt, max_tokens: 9, stop: ['END', ...ends] },
    ])
    expect(told.headers.get('x-pandotate-dropped-params')).toBe('store')
    expect(told.body).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { total_tokens: 5 },
    })
  })

  test('streams as a chat: its role once, its words, its end, its usage', async () => {
    await using scene = await openSpoken({ base: { settings: textOnly, speak: texts } })
    const asked = { messages, stream: true, stream_options: { include_usage: true } }
    const { chunks } = await scene.ask('/chat/completions', asked)
    expect(chunks.map(({ choices }) => choices.map(({ delta }) => delta))).toEqual([
      [{ content: ' one', role: 'assistant' }],
      [{ content: ' two' }],
      [{ content: '' }],
      [],
    ])
    expect(chunks.every((chunk) => chunk['object'] === 'chat.completion.chunk')).toBe(true)
    expect(scene.sent('base')[0]).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  })

  const pixel = { type: 'image_url', image_url: { url: 'data:,' } }
  test.for<[JsonObject, string]>([
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [{ logprobs: true }, 'logprobs'],
    [{ modalities: ['text', 'audio'], audio: {} }, 'modalities'],
    [{ messages: [{ role: 'user', content: [pixel] }] }, 'messages[0].content[0]'],
    [{ messages: [{ role: 'tool', tool_call_id: 'a', content: 'x' }] }, 'messages[0].role'],
  ])('with %j is refused by name, before anything is sent', async ([fields, param]) => {
    await using scene = await openSpoken({ base: { settings: textOnly, speak: texts } })
    const { status, body } = await scene.ask('/chat/completions', { messages, ...fields })
    expect(status).toBe(400)
    expect(body['error']).toMatchObject({ param, code: 'unsupported_parameter' })
    expect(scene.servers['base']?.requests).toHaveLength(0)
  })
})

describe('a plan of both', () => {
  const places = {
    chat: { settings: chatOnly, speak: chats },
    text: { settings: textOnly, speak: texts },
  }

  test.for<['/completions' | '/chat/completions', JsonObject, string]>([
    ['/completions', { prompt: 'Once' }, 'chat'],
    ['/completions', { prompt: 'Once', suffix: 'after' }, 'text'],
    ['/completions', { prompt: 'Once', logprobs: 1 }, 'text'],
    ['/chat/completions', { messages: [{ role: 'user', content: 'Hi.' }] }, 'chat'],
  ])('%s %j goes to the first that can: %s', async ([path, body, name]) => {
    await using scene = await openSpoken(places)
    const told = await scene.ask(path, body)
    expect(told.status).toBe(200)
    expect(told.headers.get('x-pandotate-provider')).toBe(name)
    expect(told.headers.get('x-pandotate-attempts')).toBe('1')
  })

  test('continues from one to the other when the first fails', async () => {
    const broken: Speaking = () => ({ error: { message: 'broken' } })
    await using scene = await openSpoken({ ...places, chat: { settings: chatOnly, speak: broken } })
    const told = await scene.ask('/chat/completions', { messages: [{ role: 'user', content: 'Hi.' }] })
    expect(choicesOf(told)).toMatchObject([{ message: { role: 'assistant', content: ' one two' } }])
  })

  test('is refused by what none of them takes', async () => {
    await using scene = await openSpoken({ one: places.chat, other: places.chat })
    const { status, body } = await scene.ask('/completions', { prompt: 'Once', suffix: 'after' })
    expect(status).toBe(400)
    expect(body['error']).toMatchObject({ param: 'suffix', code: 'unsupported_parameter' })
  })
})

describe('simulated services', () => {
  test('Baseten’s Model APIs, which have only chats, complete a text', async () => {
    await using place = await simulateBaseten({ host: '127.0.0.1', port: 0, key: 'key' })
    const baseUrl = `${place.origin}/v1`
    await using scene = await openSpoken({
      there: { settings: { type: 'baseten', baseUrl }, speak: chats, model: 'sim-echo' },
    })
    const whole = await scene.ask('/completions', { prompt: ['one', 'two'], echo: true, max_tokens: 5 })
    expect(choicesOf(whole).map(({ index, text }) => [index, text])).toEqual([
      [0, 'oneone'],
      [1, 'twotwo'],
    ])
    expect(whole.body['object']).toBe('text_completion')
    const asked = { prompt: 'one two', stream: true, stream_options: { include_usage: true } }
    const { chunks } = await scene.ask('/completions', asked)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('one two')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } })
    const record = await scene.gateway.recorded(2)
    expect(record.usageEstimated).toBe(false)
    expect(place.bill()).toHaveLength(3)
  })

  test('Together streams a batch with its indices interleaved, and the prompts echoed', async () => {
    await using place = await simulateTogether({ host: '127.0.0.1', port: 0, key: 'key' })
    const baseUrl = `${place.origin}/v1`
    const settings = { type: 'together', baseUrl }
    await using scene = await openSpoken({ there: { settings, speak: texts, model: 'x/sim-echo-drip-40' } })
    const asked = {
      prompt: ['a b', 'c d e'],
      n: 2,
      echo: true,
      stream: true,
      stream_options: { include_usage: true },
    }
    const { chunks } = await scene.ask('/completions', asked)
    const said = ['', '', '', '']
    for (const { choices } of chunks) for (const { index, text } of choices) said[index] += text ?? ''
    expect(said).toEqual(['a ba b', 'a ba b', 'c d ec d e', 'c d ec d e'])
    const order = chunks.flatMap(({ choices }) => choices.map(({ index }) => index))
    expect(order.join('')).not.toBe(order.toSorted().join(''))
    const usages = chunks.map(({ usage }) => usage)
    expect(usages.slice(0, -1).every((usage) => usage === null)).toBe(true)
    expect(usages.at(-1)).toMatchObject({ prompt_tokens: 5, completion_tokens: 10, total_tokens: 15 })
  })
})
