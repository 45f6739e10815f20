import { describe, expect, test } from 'vitest'
import {
  type Case,
  expectNormalized,
  role,
  same,
  start,
  tool,
  toolMore,
  turns,
} from '../../harness/core/normalize.ts'
import { chatChunk, rawDelta, textChunk } from '../../harness/scripted-upstream.ts'

describe('a chat stream', () => {
  const cases: readonly (readonly [string, Case])[] = [
    [
      'with neat tool calls',
      same(
        chatChunk({ ...role, content: null, tool_calls: [tool] }),
        chatChunk({ tool_calls: [toolMore] }),
        chatChunk({}, 'tool_calls'),
      ),
    ],
    [
      'whose tool calls repeat themselves and end with stop',
      turns(
        [
          chatChunk({ ...role, content: null, tool_calls: [{ ...tool, type: null }] }),
          chatChunk({ tool_calls: [{ ...tool, function: { name: null, arguments: {} } }] }),
          chatChunk({ tool_calls: [] }, 'stop'),
        ],
        [
          chatChunk({ ...role, content: null, tool_calls: [tool] }),
          chatChunk({ tool_calls: [toolMore] }),
          chatChunk({}, 'tool_calls'),
        ],
      ),
    ],
    [
      'whose tool calls are not all objects',
      turns(
        [
          chatChunk({ ...role, tool_calls: [null, tool, 'f'] }),
          chatChunk({ tool_calls: ['g'] }),
          chatChunk({ tool_calls: { 0: tool } }, 'tool_calls'),
        ],
        [
          chatChunk({ ...role, tool_calls: [tool] }),
          chatChunk({}),
          chatChunk({ tool_calls: [toolMore] }, 'tool_calls'),
        ],
      ),
    ],
    [
      'that ends for reasons of its own',
      turns([chatChunk({ ...role, content: 'Hi' }, 'eos')], [chatChunk({ ...role, content: 'Hi' }, 'stop')]),
    ],
    [
      'whose reason is empty or absent until its end',
      turns(
        [
          chatChunk({ ...role, content: 'H' }, ''),
          { ...chatChunk({}), choices: [{ index: 0, delta: { content: 'i' } }] },
          chatChunk({}, 'stop'),
        ],
        [chatChunk({ ...role, content: 'H' }), chatChunk({ content: 'i' }), chatChunk({}, 'stop')],
      ),
    ],
    [
      'that ends twice',
      turns(
        [chatChunk({ ...role, content: 'Hi' }, 'stop'), chatChunk({}, 'stop')],
        [chatChunk({ ...role, content: 'Hi' }, 'stop')],
      ),
    ],
    ...(
      [
        [{ content: 'more' }, ['text_after_finish']],
        [{ reasoning_content: 'more' }, ['text_after_finish']],
        [{ reasoning: 'more' }, ['text_after_finish']],
        [{ tool_calls: [tool] }, ['text_after_finish']],
        [{ content: '' }, []],
        [{ content: null, tool_calls: null }, []],
        [{ tool_calls: [] }, []],
      ] as const
    ).map(([after, flags]): [string, Case] => [
      `that gives ${JSON.stringify(after)} after its end`,
      {
        ...turns(
          [chatChunk({ ...role, content: 'Hi' }, 'stop'), chatChunk(after)],
          [chatChunk({ ...role, content: 'Hi' }, 'stop')],
        ),
        flags,
      },
    ]),
    [
      'in which one choice continues after the end of the other',
      turns(
        [
          chatChunk({ ...role, content: 'a' }, 'stop'),
          {
            ...chatChunk({}),
            choices: [
              { index: 0, delta: {}, finish_reason: null },
              { index: 1, delta: { ...role, content: 'b' }, finish_reason: 'stop' },
            ],
          },
        ],
        [chatChunk({ ...role, content: 'a' }, 'stop'), chatChunk({ ...role, content: 'b' }, 'stop', 1)],
      ),
    ],
    [
      'with holes among its choices',
      turns(
        [
          {
            ...chatChunk({ ...role, content: 'Hi' }, 'stop'),
            choices: [null, 7, { index: 0, delta: role, finish_reason: 'stop' }],
          },
        ],
        [chatChunk(role, 'stop')],
      ),
    ],
    [
      'with chunks that hold nothing',
      turns(
        [
          {},
          { ...chatChunk({}), choices: null },
          { choices: [] },
          chatChunk(role, 'stop'),
          { error: null, choices: [] },
        ],
        [chatChunk(role, 'stop')],
      ),
    ],
    [
      'with content in chunks without choices',
      turns(
        [
          { choices: [], prompt_filter_results: [1] },
          chatChunk({ ...role, content: 'Hi' }),
          { ...chatChunk({}), choices: [], note: 'a' },
          { choices: [], note: 'b', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
          chatChunk({}, 'stop'),
          { ...chatChunk({}), id: 'other', choices: [], timings: { ms: 1 } },
        ],
        [
          { prompt_filter_results: [1], ...chatChunk({ ...role, content: 'Hi' }) },
          { note: 'b', ...chatChunk({}, 'stop') },
          { timings: { ms: 1 }, ...chatChunk({}), choices: [] },
        ],
      ),
    ],
    [
      'whose id, date and model change',
      turns(
        [
          chatChunk({ ...role, content: 'H' }),
          {
            ...chatChunk({ content: 'i' }),
            id: 'up-2',
            created: 1,
            model: 'other',
            object: 'chat.completion',
          },
          { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
        ],
        [chatChunk({ ...role, content: 'H' }), chatChunk({ content: 'i' }), chatChunk({}, 'stop')],
      ),
    ],
    [
      'with an invalid id, date and model',
      turns(
        [{ ...chatChunk(role, 'stop'), id: '', created: '2024', model: null, object: 7 }],
        [{ ...chatChunk(role, 'stop'), id: 'chatcmpl-own', created: 1_800_000_000, model: 'asked-for' }],
      ),
    ],
  ]
  test.for(cases)('%s', ([, expected]) => {
    expectNormalized('chat', true, expected)
  })
})

test('an answer has finished once all requested and all received choices have', () => {
  const normalizer = start('text', true, new Set(), 2)
  const finishes = [
    textChunk('a', 'stop'),
    textChunk('more', 'stop'),
    textChunk('b', null, 1),
    textChunk('c', 'stop', 2),
    textChunk('b', 'stop', 1),
  ].map((chunk) => {
    normalizer.accept([rawDelta(chunk)])
    return normalizer.isFinished()
  })
  expect(finishes).toEqual([false, false, false, false, true])
})
