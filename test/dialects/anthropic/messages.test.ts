import { describe, expect, test } from 'vitest'
import { chatMessages } from '../../../src/dialects/anthropic/messages.ts'

const text = (words: string) => ({ type: 'text', text: words })
const png = { type: 'base64', media_type: 'image/png', data: 'aGk=' }
const pngPart = { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }
const user = (...content: object[]) => ({ role: 'user', content })
const assistant = (...content: object[]) => ({ role: 'assistant', content })
const use = (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'look', input })
const called = (id: string, spelled = '{}') => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: spelled },
})
const result = (id: string, content?: unknown, more = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...more,
})
const document = (source: object, more = {}) => ({ type: 'document', source, ...more })

type Case = { name: string; system?: unknown; given: object[]; becomes: object[]; dropped?: string[] }

const cases: Case[] = [
  {
    name: 'a string stays one',
    given: [{ role: 'user', content: 'Hi' }],
    becomes: [{ role: 'user', content: 'Hi' }],
  },
  {
    name: 'text alone is one string, a line for each block',
    given: [user(text('a'), text('b'))],
    becomes: [{ role: 'user', content: 'a\nb' }],
  },
  {
    name: 'the system prompt is the first message',
    system: 'Be brief.',
    given: [user(text('a'))],
    becomes: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a' },
    ],
  },
  {
    name: 'a system prompt in blocks is one string, its marks for a cache left out',
    system: [text('Be brief.'), { ...text('Be kind.'), cache_control: { type: 'ephemeral' } }],
    given: [user(text('a'))],
    becomes: [
      { role: 'system', content: 'Be brief.\nBe kind.' },
      { role: 'user', content: 'a' },
    ],
    dropped: ['cache_control'],
  },
  {
    name: 'an empty system prompt is none',
    system: [],
    given: [user(text('a'))],
    becomes: [{ role: 'user', content: 'a' }],
  },
  {
    name: 'a system message stands where it stood, and is no neighbour’s',
    given: [
      user(text('a')),
      { role: 'system', content: 'now' },
      { role: 'system', content: [text('then')] },
      user(text('b')),
    ],
    becomes: [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'now' },
      { role: 'system', content: 'then' },
      { role: 'user', content: 'b' },
    ],
  },
  {
    name: 'images stay where they are among the words',
    given: [
      user(
        text('see'),
        { type: 'image', source: png },
        { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      ),
    ],
    becomes: [
      {
        role: 'user',
        content: [text('see'), pngPart, { type: 'image_url', image_url: { url: 'https://x.test/a.png' } }],
      },
    ],
  },
  {
    name: 'a document of text is its title, its context and its words',
    given: [
      user(
        document({ type: 'text', media_type: 'text/plain', data: 'words' }, { title: 'T', context: 'C' }),
        document({ type: 'text', media_type: 'text/plain', data: 'bare' }, { title: null, context: '' }),
      ),
    ],
    becomes: [{ role: 'user', content: 'T\nC\nwords\nbare' }],
  },
  {
    name: 'a PDF is a file, its context before it',
    given: [
      user(
        document({ ...png, media_type: 'application/pdf' }, { title: 'T.pdf', context: 'C' }),
        document({ ...png, media_type: 'application/pdf' }),
      ),
    ],
    becomes: [
      {
        role: 'user',
        content: [
          text('C'),
          { type: 'file', file: { filename: 'T.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
          { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
        ],
      },
    ],
  },
  {
    name: 'a document of blocks is its blocks, and citations cannot be had',
    given: [
      user(
        document(
          { type: 'content', content: [text('one'), { type: 'image', source: png }] },
          { title: 'T', citations: { enabled: true } },
        ),
        document({ type: 'content', content: 'two' }),
        document({ type: 'content', content: [text('three')] }),
      ),
    ],
    becomes: [{ role: 'user', content: [text('T'), text('one'), pngPart, text('two'), text('three')] }],
    dropped: ['messages.citations'],
  },
  {
    name: 'a search result is its title, its source and its words',
    given: [user({ type: 'search_result', title: 'T', source: 'S', content: [text('a'), text('b')] })],
    becomes: [{ role: 'user', content: 'T\nS\na\nb' }],
  },
  {
    name: 'what an assistant thought, said and called is one message',
    given: [
      assistant(
        { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
        text('I look.'),
        use('t1', { at: ['x', 1] }),
        use('t2'),
      ),
    ],
    becomes: [
      {
        role: 'assistant',
        content: 'I look.',
        reasoning_content: 'Hm.',
        tool_calls: [called('t1', '{"at":["x",1]}'), called('t2')],
      },
    ],
  },
  {
    name: 'a call without a word has no content, and no input is an empty one',
    given: [assistant(use('t1', null))],
    becomes: [{ role: 'assistant', content: null, tool_calls: [called('t1')] }],
  },
  {
    name: 'numbers past 2^53 keep their digits',
    given: [assistant(use('t1', { id: JSON.rawJSON('12345678901234567890') }))],
    becomes: [
      { role: 'assistant', content: null, tool_calls: [called('t1', '{"id":12345678901234567890}')] },
    ],
  },
  {
    name: 'what only Anthropic can read is left out, and named',
    given: [
      assistant(
        { type: 'redacted_thinking', data: 'x' },
        { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
        { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
        text('found'),
      ),
      user({ type: 'mcp_tool_result', tool_use_id: 's' }),
    ],
    becomes: [
      { role: 'assistant', content: 'found' },
      { role: 'user', content: '' },
    ],
    dropped: [
      'messages.redacted_thinking',
      'messages.server_tool_use',
      'messages.web_search_tool_result',
      'messages.mcp_tool_result',
    ],
  },
  {
    name: 'the results of tools stand before the words, in their order',
    given: [user(result('t1', 'one'), text('and now?'), result('t2', [text('two'), text('lines')]))],
    becomes: [
      { role: 'tool', tool_call_id: 't1', content: 'one' },
      { role: 'tool', tool_call_id: 't2', content: 'two\nlines' },
      { role: 'user', content: 'and now?' },
    ],
  },
  {
    name: 'a result says when it is an error, or nothing at all',
    given: [
      user(
        result('t1', 'no such file', { is_error: true }),
        result('t2'),
        result('t3', [], { is_error: false }),
      ),
    ],
    becomes: [
      { role: 'tool', tool_call_id: 't1', content: 'Error: no such file' },
      { role: 'tool', tool_call_id: 't2', content: '' },
      { role: 'tool', tool_call_id: 't3', content: '' },
    ],
  },
  {
    name: 'images of a result follow the results',
    given: [user(result('t1', [text('a picture'), { type: 'image', source: png }]), result('t2', 'more'))],
    becomes: [
      { role: 'tool', tool_call_id: 't1', content: 'a picture' },
      { role: 'tool', tool_call_id: 't2', content: 'more' },
      { role: 'user', content: [pngPart] },
    ],
  },
  {
    name: 'an empty text is no line of its own',
    system: [text(''), text('Be brief.')],
    given: [user(text('a'), text(''), text('b')), assistant(text(''), text('{'))],
    becomes: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a\nb' },
      { role: 'assistant', content: '{' },
    ],
  },
  {
    name: 'an empty text is no part, and beside a call no words',
    given: [
      user(text(''), { type: 'image', source: png }),
      assistant(text(''), use('t1')),
      user(result('t1', [text(''), text('sun')])),
    ],
    becomes: [
      { role: 'user', content: [pngPart] },
      { role: 'assistant', content: null, tool_calls: [called('t1')] },
      { role: 'tool', tool_call_id: 't1', content: 'sun' },
    ],
  },
  {
    name: 'where all texts are empty, so is the message',
    given: [user(text('')), assistant(text(''), text(''))],
    becomes: [
      { role: 'user', content: '' },
      { role: 'assistant', content: '' },
    ],
  },
  {
    name: 'blocks of an unknown type are left out by name',
    system: [text('Be brief.'), { type: 'hint' }],
    given: [
      user({ type: 'container_upload', file_id: 'f' }, text('a')),
      assistant({ type: 'compaction', content: 'before' }, text('b')),
      user(result('t1', [{ type: 'chart' }, text('sun')])),
    ],
    becomes: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'tool', tool_call_id: 't1', content: 'sun' },
    ],
    dropped: ['system.hint', 'messages.container_upload', 'messages.compaction', 'messages.chart'],
  },
  {
    name: 'neighbours of one role are one turn',
    given: [
      { role: 'user', content: 'a' },
      user(text('b')),
      assistant(text('c')),
      assistant(use('t1')),
      user(text('d')),
      user(result('t1', [{ type: 'tool_reference', tool_name: 'look' }])),
    ],
    becomes: [
      { role: 'user', content: 'a\nb' },
      { role: 'assistant', content: 'c', tool_calls: [called('t1')] },
      { role: 'tool', tool_call_id: 't1', content: 'look' },
      { role: 'user', content: 'd' },
    ],
  },
]

describe('A conversation', () => {
  test.for(cases)('$name', ({ system, given, becomes, dropped = [] }) => {
    const left = new Set<string>()
    const before = JSON.stringify(given)
    expect(JSON.parse(JSON.stringify(chatMessages(system, given, left)))).toEqual(becomes)
    expect([...left]).toEqual(dropped)
    expect(JSON.stringify(given)).toBe(before)
  })
})

const many = 200_000
test.for([
  ['messages of one role', Array(many).fill({ role: 'user', content: 'w' })],
  ['blocks of two messages', [user(text('w')), { role: 'user', content: Array(many).fill(text('w')) }]],
  ['results of tools', [{ role: 'user', content: Array(many).fill(result('t')) }]],
  ['images in a result', [user(result('t', Array(many).fill({ type: 'image', source: png })))]],
] as const)('%s take no longer, and no more room, where there are very many', ([, messages]) => {
  expect(chatMessages(undefined, messages, new Set())).not.toHaveLength(0)
})
