import { describe, expect, test } from 'vitest'
import { readOptions } from '../../bench/chaos/options.ts'
import type { Kind } from '../../src/core/model/terms.ts'
import type { Heard } from './caller.ts'
import { reconcile } from './reconcile.ts'
import { gatewayKey } from './secrets.ts'
import type { Row } from './served.ts'
import { type Sight, see, seeHonest } from './sights.ts'
import {
  answerText,
  answerWords,
  chunkText,
  endChoice,
  replyText,
  usageOf,
  wordChoice,
} from './upstream/answer.ts'

// What the suite looks for must be found when it is there.

const role = chunkText('chat', 'm', { delta: { role: 'assistant', content: '' } })
const said = (count: number) =>
  answerWords.slice(0, count).map((word) => chunkText('chat', 'm', wordChoice('chat', word)))
const end = chunkText('chat', 'm', endChoice('chat'))
const usage = JSON.stringify({ ...JSON.parse(end), choices: [], usage: usageOf(1, 10) })
const wholeStream = [role, ...said(10), end, usage, '[DONE]']
const error = '{"error":{"message":"m","type":"t","param":null,"code":"c"}}'
const broken: Sight = { words: 3, code: 'c' }

function heard(body: string | readonly string[], given: Partial<Heard> = {}): Heard {
  const text = typeof body === 'string' ? body : body.map((event) => `data: ${event}\n\n`).join('')
  return { status: 200, headers: { 'content-type': 'application/json' }, body: text, isEnded: true, ...given }
}

describe('a caller’s view', () => {
  test('of an answer, and of a stream, is taken for what it is', () => {
    expect(() => see(heard(wholeStream), 'whole', 'chat', true)).not.toThrow()
    expect(() => see(heard(replyText('text', 'm', answerText)), 'whole', 'text', false)).not.toThrow()
    expect(() => see(heard([role, ...said(3), error]), broken, 'chat', true)).not.toThrow()
    expect(() => see(heard(error, { status: 502 }), { status: 502, code: 'c' }, 'text', false)).not.toThrow()
    expect(seeHonest(heard([role, ...said(3), error]), 'chat', true)).toBe('broken')
    expect(seeHonest(heard(error, { status: 502 }), 'text', false)).toBe('refused')
    expect(seeHonest(heard(wholeStream), 'chat', true)).toBe('answered')
  })

  type Wrong = readonly [name: string, heard: Heard, sight: Sight, kind: Kind, stream: boolean]
  const wrong: readonly Wrong[] = [
    ['a cut connection', heard(wholeStream, { isEnded: false }), 'whole', 'chat', true],
    ['a word that is missing', heard([role, ...said(9), end, usage, '[DONE]']), 'whole', 'chat', true],
    [
      'a word said twice',
      heard([role, ...said(1), ...said(10), end, usage, '[DONE]']),
      'whole',
      'chat',
      true,
    ],
    ['a second role', heard([role, role, ...said(10), end, usage, '[DONE]']), 'whole', 'chat', true],
    ['no terminator', heard(wholeStream.slice(0, -1)), 'whole', 'chat', true],
    ['no finish_reason', heard([role, ...said(10), usage, '[DONE]']), 'whole', 'chat', true],
    ['usage told twice', heard([role, ...said(10), end, usage, usage, '[DONE]']), 'whole', 'chat', true],
    ['half a reply', heard(replyText('text', 'm', 'Alder')), 'whole', 'text', false],
    ['a terminator after a break', heard([role, ...said(3), error, '[DONE]']), broken, 'chat', true],
    ['a finish_reason before a break', heard([role, ...said(3), end, error]), broken, 'chat', true],
    ['a break that is not told', heard([role, ...said(3)]), broken, 'chat', true],
    ['an error of another kind', heard(error, { status: 502 }), { status: 502, code: 'd' }, 'text', false],
    ['a page for an error', heard('<html>', { status: 502 }), { status: 502, code: 'c' }, 'text', false],
    ['a key in a header', heard(wholeStream, { headers: { 'x-a': gatewayKey } }), 'whole', 'chat', true],
    [
      'a key in an error',
      heard(error.replace('m', gatewayKey), { status: 502 }),
      { status: 502, code: 'c' },
      'text',
      false,
    ],
  ]

  test.for(wrong)('does not pass with %s', ([, given, sight, kind, stream]) => {
    expect(() => see(given, sight, kind, stream)).toThrow()
  })
})

describe('the bill and the records', () => {
  const attempt = { outcome: 'ok', costNanoUsd: 5, isEstimated: false, isUncertain: false }
  const rowWith = (given: Partial<typeof attempt>, flags: readonly string[] = []) =>
    ({ id: 'req_1', attempts: [{ ...attempt, ...given }], flags }) as unknown as Row
  const billed = (nanoUsd: number, name = 'req_1-0') => ({
    ...{
      attempt: name,
      model: 'm',
      promptTokens: 1,
      cachedTokens: 0,
      completionTokens: 1,
      workedMs: undefined,
    },
    nanoUsd,
  })
  const told = new Set<string>()
  const untold = new Set(['req_1-0'])

  test('agree where both know', () => {
    const { exact, exactNanoUsd, uncertain, wrong } = reconcile([rowWith({})], {
      lines: [billed(5)],
      untold: told,
    })
    expect({ exact, exactNanoUsd, uncertain, wrong }).toEqual({
      exact: 1,
      exactNanoUsd: 5,
      uncertain: [],
      wrong: [],
    })
  })

  test('may differ where the record says that it cannot know', () => {
    for (const row of [
      rowWith({ isEstimated: true, outcome: 'interrupted' }),
      rowWith({ isUncertain: true, outcome: 'timeout', costNanoUsd: 0 }),
      rowWith({}, ['usage_clamped']),
    ]) {
      const { uncertain, wrong } = reconcile([row], { lines: [billed(7)], untold })
      expect(wrong).toEqual([])
      expect(uncertain).toHaveLength(1)
    }
  })

  test.for([
    ['differ by a nano-USD', rowWith({}), [billed(6)], told],
    ['differ, and the record is sure', rowWith({ outcome: 'timeout', costNanoUsd: 0 }), [billed(6)], untold],
    ['tell what was estimated', rowWith({ isEstimated: true }), [billed(5)], told],
    ['know of an attempt that is in no record', rowWith({}), [billed(5), billed(1, 'req_2-0')], told],
    ['charge twice for one', rowWith({}), [billed(5), billed(5)], told],
    ['charge nothing for what was booked', rowWith({}), [], told],
  ] as const)('do not agree when they %s', ([, row, lines, without]) => {
    expect(reconcile([row], { lines, untold: without }).wrong).toHaveLength(1)
  })
})

test('the words of the command line are read, and others refused', () => {
  expect(readOptions([])).toEqual({ isLong: true, soakMs: 180_000, seed: 1, only: undefined })
  expect(readOptions(['quick', '--only', '26', '--seed', '7', '--minutes', '0.5'])).toEqual({
    ...{ isLong: false, soakMs: 30_000, seed: 7, only: 26 },
  })
  for (const words of [['slow'], ['--only'], ['--minutes', 'x']])
    expect(() => readOptions(words)).toThrow(/usage/)
})
