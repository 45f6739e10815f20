import { describe, expect, test } from 'vitest'
import { chatReply, choicesOf, openSpoken, type Speaking, textReply, textStream } from './spoken.ts'

const user = { role: 'user', content: 'Hi.' }
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }
const speak: Speaking = (_body, path) =>
  path.endsWith('/chat/completions') ? chatReply({ content: 'one' }) : textReply({ text: 'one' })

describe('an echo', () => {
  const prompt = 'Once upon a time'

  test.for(['ollama', 'vllm'] as const)('stands before the answer once, as %s has it', async (preset) => {
    const isNative = preset === 'vllm'
    const answers: Speaking = (body) => {
      const text = isNative && body['echo'] === true ? `${body['prompt']} one` : ' one'
      return body['stream'] === true ? textStream(text, ' two') : textReply({ text: `${text} two` })
    }
    await using scene = await openSpoken({ up: { settings: { preset }, speak: answers } })
    const whole = await scene.ask('/completions', { prompt, echo: true })
    expect(choicesOf(whole).map(({ text }) => text)).toEqual([`${prompt} one two`])
    const { chunks } = await scene.ask('/completions', { prompt, echo: true, stream: true })
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe(`${prompt} one two`)
    expect(scene.sent('up').map(({ echo }) => echo)).toEqual(isNative ? [true, true] : [undefined, undefined])
  })

  test('of a stop string ends nothing', async () => {
    const answers: Speaking = (body) => textReply({ text: `${body['prompt']} one upon two` })
    await using scene = await openSpoken({ up: { settings: {}, speak: answers } })
    const told = await scene.ask('/completions', { prompt, echo: true, stop: ' upon' })
    expect(choicesOf(told)).toMatchObject([{ text: `${prompt} one`, finish_reason: 'stop' }])
  })
})

describe('a stop string that an upstream takes no notice of', () => {
  test('ends the answer, whole or in chunks that cut it up', async () => {
    const answers: Speaking = (body) =>
      body['stream'] === true ? textStream('one', ' E', 'N', 'D two') : textReply({ text: 'one END two' })
    await using scene = await openSpoken({ up: { settings: {}, speak: answers } })
    const whole = await scene.ask('/completions', { prompt: 'p', stop: ['END'] })
    expect(choicesOf(whole)).toMatchObject([{ text: 'one ', finish_reason: 'stop' }])
    const streamed = await scene.ask('/completions', { prompt: 'p', stop: ['END'], stream: true })
    expect(streamed.chunks.map(({ choices }) => choices[0])).toMatchObject([
      { text: 'one', finish_reason: null },
      { text: ' ', finish_reason: 'stop' },
    ])
    expect(streamed.text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('has the rest of a stream given up', async () => {
    const speak: Speaking = () => ({ unended: textStream('one', ' END two').slice(0, 2) })
    await using scene = await openSpoken({ up: { settings: {}, speak } })
    const { text } = await scene.ask('/completions', { prompt: 'p', stop: 'END', stream: true })
    expect(text).toContain('"finish_reason":"stop"')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    await scene.servers['up']?.idle()
    const { usageEstimated, attempts } = await scene.gateway.recorded()
    expect(usageEstimated).toBe(true)
    expect(attempts).toMatchObject([{ outcome: 'ok' }])
  })

  test('may be one more than the upstream takes', async () => {
    const stop = ['a', 'b', 'c', 'd', 'END']
    const answers = () => textReply({ text: 'one END two' })
    await using scene = await openSpoken({ up: { settings: { preset: 'openai' }, speak: answers } })
    const told = await scene.ask('/completions', { prompt: 'p', stop })
    expect(choicesOf(told)).toMatchObject([{ text: 'one ', finish_reason: 'stop' }])
    expect(scene.sent('up')).toMatchObject([{ stop: stop.slice(0, 4) }])
    expect([...(await scene.gateway.recorded()).converted]).toEqual([
      'stop to 4 strings, the others cut at here',
    ])
  })

  test('is left where the caller wants it told', async () => {
    const answers = () => textReply({ text: 'one END' })
    await using scene = await openSpoken({ up: { settings: {}, speak: answers } })
    const asked = { prompt: 'p', stop: 'END', include_stop_str_in_output: true }
    expect(choicesOf(await scene.ask('/completions', asked))).toMatchObject([{ text: 'one END' }])
  })
})

describe('the best of several', () => {
  /** Each candidate is as good as its number. */
  const scored = (at: number) => {
    const logprobs = { tokens: ['x'], token_logprobs: [at - 10], top_logprobs: null, text_offset: [0] }
    return { text: `t${at}`, logprobs }
  }

  test('is chosen from as many choices of one request', async () => {
    const answers: Speaking = ({ n, prompt }) => {
      const count = Number(n) * (Array.isArray(prompt) ? prompt.length : 1)
      return textReply(...Array.from({ length: count }, (_, at) => scored(at)))
    }
    await using scene = await openSpoken({ up: { settings: { preset: 'vllm' }, speak: answers } })
    const told = await scene.ask('/completions', { prompt: ['a', 'b'], n: 2, best_of: 3 })
    expect(scene.sent('up')).toEqual([{ model: 'm', prompt: ['a', 'b'], n: 3, logprobs: 1 }])
    expect(choicesOf(told)).toEqual(
      ['t2', 't1', 't5', 't4'].map((text, index) => ({ index, text, logprobs: null, finish_reason: 'stop' })),
    )
  })

  test('is chosen from as many requests, where each gives one, and all are paid for', async () => {
    let made = 0
    await using scene = await openSpoken({
      up: { settings: { preset: 'llamacpp' }, speak: () => textReply(scored(made++)) },
    })
    const told = await scene.ask('/completions', { prompt: 'p', best_of: 3, logprobs: 2 })
    expect(scene.sent('up')).toEqual(Array(3).fill({ model: 'm', prompt: 'p', logprobs: 2 }))
    expect(choicesOf(told)).toMatchObject([{ index: 0, text: 't2', logprobs: { token_logprobs: [-8] } }])
    expect(told.body['usage']).toEqual({ prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 })
  })

  test('is the upstream’s own affair where it knows how', async () => {
    await using scene = await openSpoken({ up: { settings: {}, speak: () => textReply({ text: 'one' }) } })
    await scene.ask('/completions', { prompt: 'p', best_of: 3 })
    expect(scene.sent('up')).toEqual([{ model: 'm', prompt: 'p', best_of: 3 }])
  })

  test.for([
    [{ preset: 'ollama' }, 0],
    [{ preset: 'llamacpp' }, 2],
    [{ preset: 'vllm' }, 1],
  ] as const)('is refused by name where nothing is told to rank by: %j', async ([settings, requests]) => {
    await using scene = await openSpoken({
      up: { settings, speak: () => textReply({ text: 'a' }, { text: 'b' }) },
    })
    const { status, body } = await scene.ask('/completions', { prompt: 'p', best_of: 2 })
    expect(status).toBe(400)
    expect(body['error']).toMatchObject({ param: 'best_of', code: 'unsupported_parameter' })
    expect(scene.sent('up')).toHaveLength(requests)
  })
})

describe('tools of other types', () => {
  const custom = { type: 'custom', custom: { name: 'patch', description: 'Patches.' } }
  const called = {
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'patch', arguments: '{"input":"*** x"}' } }],
  }

  test('are functions of one string where only functions are known, and custom again to the caller', async () => {
    const answers = () => chatReply(called)
    await using scene = await openSpoken({ up: { settings: { preset: 'vllm' }, speak: answers } })
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [custom] } }
    const told = await scene.ask('/chat/completions', {
      messages: [user],
      tools: [tool, custom],
      tool_choice: choice,
    })
    const [sent] = scene.sent('up')
    expect(sent?.['tools']).toMatchObject([
      {
        type: 'function',
        function: { name: 'patch', description: 'Patches.', parameters: { required: ['input'] } },
      },
    ])
    expect(sent?.['tool_choice']).toBe('required')
    expect(choicesOf(told)).toMatchObject([
      {
        message: { tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'patch', input: '*** x' } }] },
        finish_reason: 'tool_calls',
      },
    ])
  })

  test('are as they are where they are known', async () => {
    await using scene = await openSpoken({ up: { settings: { preset: 'openai' }, speak } })
    await scene.ask('/chat/completions', { messages: [user], tools: [custom] })
    expect(scene.sent('up')).toEqual([{ model: 'm', messages: [user], tools: [custom] }])
  })
})

test('Together gets token ids as words', async () => {
  await using scene = await openSpoken({ up: { settings: { type: 'together' }, speak } })
  const told = await scene.ask('/completions', { prompt: [[9906], [1917]] })
  expect(choicesOf(told)).toHaveLength(2)
  expect(scene.sent('up').map(({ prompt }) => prompt)).toEqual(['Hello', ' world'])
})

test('a batch of which a prompt is left unanswered is no answer', async () => {
  await using scene = await openSpoken({ up: { settings: {}, speak: () => textReply({ text: 'one' }) } })
  const { status, body } = await scene.ask('/completions', { prompt: ['a', 'b'] })
  expect(status).toBe(502)
  expect(body['error']).toMatchObject({ code: 'upstream_stream_interrupted' })
})
