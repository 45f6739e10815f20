import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { choicesOf, openSpoken, type Speaking } from './spoken.ts'

const asked = {
  messages: [{ role: 'user', content: 'Hi.' }],
  tools: [{ type: 'function', function: { name: 'f' } }],
}

test('a sloppy server’s reply is as OpenAI’s: role, types, ids, arguments, reasons', async () => {
  const calls = [
    { function: { name: 'f', arguments: { a: 1 } } },
    { id: 'b', function: { name: 'f', arguments: null } },
  ]
  const speak: Speaking = () => ({
    choices: [{ message: { content: null, tool_calls: calls }, finish_reason: 'stop' }],
  })
  await using scene = await openSpoken({ up: { settings: {}, speak } })
  const told = await scene.ask('/chat/completions', asked)
  expect(told.body).toMatchObject({
    object: 'chat.completion',
    model: 'm',
    usage: { total_tokens: expect.any(Number) },
  })
  expect(choicesOf(told)).toEqual([
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: expect.stringMatching(/^call_/),
            type: 'function',
            function: { name: 'f', arguments: '{"a":1}' },
          },
          { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
        ],
      },
      finish_reason: 'tool_calls',
    },
  ])
})

test('a sloppy server’s stream is as OpenAI’s: everything once, in its place', async () => {
  const fragment = (call: JsonObject) => ({ choices: [{ delta: { role: 'assistant', tool_calls: [call] } }] })
  const speak: Speaking = () => [
    { choices: [{ delta: { reasoning: 'hm', content: null } }] },
    fragment({ id: 'a', function: { name: 'f', arguments: '' } }),
    fragment({ id: 'a', function: { name: 'f', arguments: '{"a"' } }),
    fragment({ id: 'a', function: { name: null, arguments: ':1}' } }),
    fragment({ id: 'b', function: { name: 'f', arguments: { b: 2 } } }),
    { choices: [{ delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 2 } },
  ]
  await using scene = await openSpoken({ up: { settings: {}, speak } })
  const { chunks } = await scene.ask('/chat/completions', { ...asked, stream: true })
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  expect(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))).toEqual([
    { role: 'assistant', reasoning_content: 'hm', content: null },
    { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
    { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
    { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '{"b":2}' } }] },
    {},
  ])
  expect(chunks.at(-1)?.choices).toMatchObject([{ index: 0, finish_reason: 'tool_calls' }])
})
