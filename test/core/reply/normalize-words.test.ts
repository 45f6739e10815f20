import { describe, test } from 'vitest'
import { parseJson } from '../../../src/core/model/json/json.ts'
import {
  type Case,
  expectNormalized,
  role,
  same,
  tool,
  toolMore,
  turns,
  withChoice,
} from '../../harness/core/normalize.ts'
import { chatChunk, textChunk } from '../../harness/scripted-upstream.ts'

describe('a chat stream', () => {
  const cases: readonly (readonly [string, Case])[] = [
    [
      'that is neat',
      same(chatChunk({ ...role, content: '' }), chatChunk({ content: 'Hi' }), chatChunk({}, 'stop')),
    ],
    ['with text and end in one chunk', same(chatChunk({ ...role, content: 'Hi' }, 'length'))],
    [
      'with unknown fields',
      same(
        { ...chatChunk({ ...role, content: '', token_id: 7 }), system_fingerprint: 'fp', service_tier: null },
        { ...chatChunk({ refusal: 'No.' }), obfuscation: 'xx' },
        chatChunk({}, 'stop'),
      ),
    ],
    [
      'with neat tool calls',
      same(
        chatChunk({ ...role, content: null, tool_calls: [tool] }),
        chatChunk({ tool_calls: [toolMore] }),
        chatChunk({}, 'tool_calls'),
      ),
    ],
    [
      'with neat choices side by side',
      same(
        chatChunk({ ...role, content: 'a' }),
        chatChunk({ ...role, content: 'b' }, null, 1),
        chatChunk({}, 'stop', 1),
        chatChunk({}, 'stop'),
      ),
    ],
    [
      'that repeats the role in every chunk',
      turns(
        [
          chatChunk({ ...role, content: 'H' }),
          chatChunk({ ...role, content: 'i' }),
          chatChunk({ ...role, content: '' }, 'stop'),
        ],
        [
          chatChunk({ ...role, content: 'H' }),
          chatChunk({ content: 'i' }),
          chatChunk({ content: '' }, 'stop'),
        ],
      ),
    ],
    [
      'without a role, or with another',
      turns(
        [chatChunk({ content: 'a' }, 'stop'), chatChunk({ role: 'model', content: 'b' }, 'stop', 1)],
        [chatChunk({ content: 'a', ...role }, 'stop'), chatChunk({ ...role, content: 'b' }, 'stop', 1)],
      ),
    ],
    [
      'padded with nulls',
      turns(
        [
          chatChunk({ content: null, function_call: null, tool_calls: null, ...role, refusal: null }),
          chatChunk({ content: 'Hi', function_call: null, tool_calls: null, role: null, refusal: null }),
          chatChunk({ content: null, tool_calls: null, role: null }, 'stop'),
        ],
        [
          chatChunk({ content: null, function_call: null, ...role, refusal: null }),
          chatChunk({ content: 'Hi', function_call: null, refusal: null }),
          chatChunk({ content: null }, 'stop'),
        ],
      ),
    ],
    [
      'without an index',
      turns(
        [{ ...chatChunk({}), choices: [{ delta: { ...role, content: 'Hi' }, finish_reason: 'stop' }] }],
        [
          {
            ...chatChunk({}),
            choices: [{ delta: { ...role, content: 'Hi' }, finish_reason: 'stop', index: 0 }],
          },
        ],
      ),
    ],
    [
      'without an index, two choices in a chunk',
      turns(
        [
          {
            ...chatChunk({}),
            choices: [
              { delta: role, finish_reason: 'stop' },
              { delta: role, finish_reason: 'length' },
            ],
          },
        ],
        [
          {
            ...chatChunk({}),
            choices: [
              { delta: role, finish_reason: 'stop', index: 0 },
              { delta: role, finish_reason: 'length', index: 1 },
            ],
          },
        ],
      ),
    ],
    [
      'without a delta',
      turns(
        [
          { ...chatChunk({}), choices: [{ index: 0, finish_reason: null }] },
          { ...chatChunk({}), choices: [{ index: 0, delta: null, finish_reason: 'stop' }] },
        ],
        [chatChunk(role), chatChunk({}, 'stop')],
      ),
    ],
    [
      'with an invalid message',
      turns(
        [
          withChoice(chatChunk({ ...role, content: 'Hi' }), { message: null }),
          withChoice(chatChunk({}, 'stop'), { message: 7 }),
        ],
        [chatChunk({ ...role, content: 'Hi' }), chatChunk({}, 'stop')],
      ),
    ],
    [
      'with content that is not a string',
      turns(
        [
          chatChunk({ ...role, content: [{ type: 'text', text: 'a' }, 'b', { type: 'image' }, null] }),
          chatChunk({ content: 7 }),
          chatChunk({ content: true }),
          chatChunk({ content: parseJson('12345678901234567890') }),
          chatChunk({ content: { type: 'text', text: 'c' } }),
          chatChunk({ content: null }, 'stop'),
        ],
        [
          chatChunk({ ...role, content: 'ab' }),
          chatChunk({ content: '7' }),
          chatChunk({ content: 'true' }),
          chatChunk({ content: '12345678901234567890' }),
          chatChunk({ content: 'c' }),
          chatChunk({ content: null }, 'stop'),
        ],
      ),
    ],
    [
      'that calls reasoning `reasoning`',
      turns(
        [
          chatChunk({ ...role, content: '', reasoning: null }),
          chatChunk({ content: '', reasoning: 'Hm' }),
          chatChunk({ reasoning: 'so', reasoning_content: '' }),
          chatChunk({ content: 'Hi', reasoning: '' }, 'stop'),
        ],
        [
          chatChunk({ ...role, content: '', reasoning: null }),
          chatChunk({ content: '', reasoning_content: 'Hm' }),
          chatChunk({ reasoning_content: 'so' }),
          chatChunk({ content: 'Hi' }, 'stop'),
        ],
      ),
    ],
    [
      'with neat reasoning',
      same(
        chatChunk({ ...role, content: null, reasoning_content: 'Hm' }),
        chatChunk({ content: 'Hi' }, 'stop'),
      ),
    ],
    [
      'that thinks and speaks in one chunk',
      turns(
        [chatChunk({ ...role, reasoning: 'Hm', content: 'Hi' }, 'stop')],
        [chatChunk({ ...role, reasoning_content: 'Hm' }), chatChunk({ content: 'Hi' }, 'stop')],
      ),
    ],
    [
      'with reasoning and content in one chunk, and logprobs once',
      turns(
        [
          withChoice(chatChunk({ ...role, reasoning_content: 'Hm', content: 'Hi' }, 'stop'), {
            logprobs: { content: [{ token: 'Hi' }] },
          }),
        ],
        [
          chatChunk({ ...role, reasoning_content: 'Hm' }),
          withChoice(chatChunk({ content: 'Hi' }, 'stop'), { logprobs: { content: [{ token: 'Hi' }] } }),
        ],
      ),
    ],
    [
      'where one choice thinks and speaks at once, and the other only speaks',
      turns(
        [
          {
            ...chatChunk({}),
            choices: [
              { index: 0, delta: { ...role, reasoning_content: 'Hm', content: 'a' }, finish_reason: 'stop' },
              { index: 1, delta: { ...role, content: 'b' }, finish_reason: 'stop' },
            ],
          },
        ],
        [
          chatChunk({ ...role, reasoning_content: 'Hm' }),
          {
            ...chatChunk({}),
            choices: [
              { index: 0, delta: { content: 'a' }, finish_reason: 'stop' },
              { index: 1, delta: { ...role, content: 'b' }, finish_reason: 'stop' },
            ],
          },
        ],
      ),
    ],
  ]
  test.for(cases)('%s', ([, expected]) => {
    expectNormalized('chat', true, expected)
  })
})

describe('a text stream', () => {
  const cases: readonly (readonly [string, Case])[] = [
    ['that is neat', same(textChunk('H'), textChunk('i'), textChunk('', 'stop'))],
    ['with text and end in one chunk', same(textChunk('Hi', 'length'))],
    ['of several choices', same(textChunk('a'), textChunk('b', 'stop', 1), textChunk('c', 'stop'))],
    [
      'with text that is missing or not a string',
      turns(
        [
          textChunk(7 as never),
          { ...textChunk(''), choices: [{ index: 0, text: null, finish_reason: null }] },
          { ...textChunk(''), choices: [{ index: 0, finish_reason: 'stop' }] },
        ],
        [textChunk('7'), textChunk(''), textChunk('', 'stop')],
      ),
    ],
    [
      'of another name',
      turns([{ ...textChunk('Hi', 'stop'), object: 'completion.chunk' }], [textChunk('Hi', 'stop')]),
    ],
    [
      'that is sent twice',
      turns(
        [
          withChoice(textChunk('H'), { delta: { content: 'H', reasoning_content: 'Hm' } }),
          withChoice(textChunk('i'), { delta: null }),
          withChoice(textChunk('', 'stop'), { message: { content: 'Hi' } }),
        ],
        [textChunk('H'), textChunk('i'), textChunk('', 'stop')],
      ),
    ],
    ['that ends with tool calls', turns([textChunk('Hi', 'tool_calls')], [textChunk('Hi', 'stop')])],
    [
      'that continues after its end',
      {
        ...turns([textChunk('Hi', 'stop'), textChunk('more')], [textChunk('Hi', 'stop')]),
        flags: ['text_after_finish'],
      },
    ],
  ]
  test.for(cases)('%s', ([, expected]) => {
    expectNormalized('text', true, expected)
  })
})
