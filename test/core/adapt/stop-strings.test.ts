import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStopCutter } from '../../../src/core/adapt/stop-strings.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { chatChunk, chatReply, textChunk } from '../../harness/scripted-upstream.ts'

describe('a stream of text', () => {
  /** The pieces that arrive, the stop strings, the pieces that are seen, and the stop string found. */
  const cases: [string, readonly string[], readonly string[], readonly string[], string | undefined][] = [
    ['without a stop string passes', ['one', ' two'], ['END'], ['one', ' two', ''], undefined],
    ['ends before one in a piece', ['one', ' END two'], ['END'], ['one', ' '], 'END'],
    ['ends before one in the first piece', ['END two'], ['END'], [''], 'END'],
    ['ends before one in two pieces', ['one E', 'ND two'], ['END'], ['one '], 'END'],
    ['ends before one in many pieces', ['one', 'E', 'N', 'D'], ['END'], ['one', ''], 'END'],
    [
      'waits for a possible match, and continues',
      ['one E', 'N', 'O'],
      ['END'],
      ['one E', 'N', 'O', ''],
      undefined,
    ],
    ['ends at the first of several', ['a b c'], ['c', 'b'], ['a '], 'b'],
    ['ends at the shorter that began with it', ['a bc'], ['bc', 'b'], ['a '], 'b'],
    ['ends at one that begins within another', ['aab', 'x'], ['aac', 'ab'], ['a'], 'ab'],
    ['keeps what only looked like one at the end', ['one E', 'N'], ['END'], ['one E', 'N', ''], undefined],
    ['ends between its pieces', ['one', 'END'], ['END'], ['one', ''], 'END'],
    ['is cut within surrogates only if a stop string does', ['🙂x'], ['x'], ['🙂'], 'x'],
  ]
  test.for(cases)('%s', ([, pieces, stops, seen, stop]) => {
    const cutter = cutterFor(stops)
    const deltas = [...pieces.map((piece) => textChunk(piece)), textChunk('', 'stop')].map(asDelta)
    const passed = deltas.flatMap((delta) => cutter.accept([delta]))
    expect(passed.map(({ value: chunk }) => chunk.choices[0]?.text)).toEqual(seen)
    expect(passed.map(({ value: chunk }) => chunk.choices[0]?.finish_reason)).toEqual(
      seen.map((_, at) => (at === seen.length - 1 ? 'stop' : null)),
    )
    expect(passed.at(-1)?.value.choices[0]?.['stop_reason']).toBe(stop)
    expect(cutter.isOver()).toBe(stop !== undefined)
  })

  test('ends exactly at the stop string, for any split into pieces', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    const stop = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), fc.array(stop, { minLength: 1 }), (pieces, stops) => {
        const cutter = cutterFor(stops)
        const deltas = [...pieces.map((piece) => chatChunk({ content: piece })), chatChunk({}, 'length')]
        const passed = deltas.flatMap((chunk) => cutter.accept([asDelta(chunk)]))
        const text = pieces.join('')
        const ends = stops.map((each) => text.indexOf(each)).filter((at) => at !== -1)
        const said = passed.map(({ value: chunk }) => chunk.choices[0]?.delta?.content ?? '').join('')
        // The first complete match ends it, at the latest where the earliest one begins.
        const first = stops
          .map((each) => text.indexOf(each) + each.length)
          .filter((_, at) => text.includes(stops[at] ?? ''))
        if (ends.length === 0) expect(said).toBe(text)
        else {
          for (const each of stops) expect(said).not.toContain(each)
          expect(text.startsWith(said)).toBe(true)
          expect(said.length).toBeLessThan(Math.max(...first))
        }
        expect(passed.filter(({ value: chunk }) => chunk.choices[0]?.finish_reason !== null)).toHaveLength(1)
      }),
    )
  })

  test('passes unchanged, with its wire text', () => {
    const delta = asDelta(textChunk('one'))
    expect(cutterFor(['END']).accept([delta])[0]).toBe(delta)
  })

  test('ends per choice, and is over when all choices are', () => {
    const cutter = cutterFor(['X'], 2)
    const seen = [
      ...[textChunk('aX', null, 0), textChunk('b', null, 1), textChunk('c', null, 0)],
      ...[textChunk('d', null, 1)],
    ].flatMap((chunk) => cutter.accept([asDelta(chunk)]))
    expect(seen.map(({ value: chunk }) => [chunk.choices[0]?.index, chunk.choices[0]?.text])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [1, 'd'],
    ])
    expect(cutter.isOver()).toBe(false)
    cutter.accept([asDelta(textChunk('X', null, 1))])
    expect(cutter.isOver()).toBe(true)
  })

  test('a word that was held while another choice continued becomes an ordinary chunk', () => {
    const cutter = cutterFor(['END'], 2)
    const word = (text: string, index: number): Delta =>
      Object.assign(asDelta(textChunk(text, null, index)), { word: text })
    const burst = [word('a', 1), word('EN', 1), asDelta(textChunk('', 'stop', 0)), word('x', 1)]
    const seen = cutter.accept(burst)
    expect(seen.map(({ text, word: told }) => [text, told])).toEqual([
      [burst[0]?.text, 'a'],
      [burst[2]?.text, undefined],
      [burst[1]?.text, undefined],
      [burst[3]?.text, 'x'],
    ])
  })

  test('a held word before a stop string becomes an ordinary chunk', () => {
    const cutter = cutterFor(['END'])
    const word = (text: string): Delta => Object.assign(asDelta(textChunk(text)), { word: text })
    expect(cutter.accept([word('E'), word('xEND')]).map(({ word: told }) => told)).toEqual([
      undefined,
      undefined,
    ])
  })

  test('keeps the order of reasoning and tool calls', () => {
    const cutter = cutterFor(['END'])
    const chunks = [
      chatChunk({ content: 'E' }),
      chatChunk({ reasoning_content: 'hm' }),
      chatChunk({ content: 'x' }),
    ]
    expect(cutter.accept([asDelta(chunks[0] ?? {})])).toEqual([])
    expect(cutter.accept([asDelta(chunks[1] ?? {})])).toEqual([])
    expect(
      cutter.accept([asDelta(chunks[2] ?? {})]).map(({ value: chunk }) => chunk.choices[0]?.delta),
    ).toEqual([{ content: 'E' }, { reasoning_content: 'hm' }, { content: 'x' }])
  })
})

describe('a whole reply', () => {
  test('is unchanged without a stop string', () => {
    const delta = asDelta(chatReply({ content: 'one two' }))
    expect(cutterFor(['END']).accept([delta])[0]).toBe(delta)
  })

  test('ends before a stop string, and so do its logprobs', () => {
    const logprobs = {
      tokens: ['one', ' END', ' two'],
      token_logprobs: [-1, -2, -3],
      top_logprobs: null,
      text_offset: [0, 3, 7],
    }
    const reply = { ...textChunk('one END two', 'length'), ...{} }
    const choice = { index: 0, text: 'one END two', logprobs, finish_reason: 'length' }
    const [cut] = cutterFor(['END']).accept([asDelta({ ...reply, choices: [choice] })])
    expect(cut?.isWritten).toBe(false)
    expect(cut?.value.choices).toEqual([
      {
        ...{ index: 0, text: 'one ', finish_reason: 'stop', stop_reason: 'END' },
        logprobs: {
          tokens: ['one', ' END'],
          token_logprobs: [-1, -2],
          top_logprobs: null,
          text_offset: [0, 3],
        },
      },
    ])
  })

  test('of a chat has its tokens’ logprobs cut', () => {
    const content = ['a', 'b', 'X'].map((token) => ({ token, logprob: -1 }))
    const choice = {
      ...{ index: 0, message: { role: 'assistant', content: 'abX' }, finish_reason: 'stop' },
      logprobs: { content, refusal: null },
    }
    const [cut] = cutterFor(['X']).accept([asDelta({ ...chatReply({}), choices: [choice] })])
    expect(cut?.value.choices[0]).toMatchObject({
      message: { content: 'ab' },
      logprobs: { content: content.slice(0, 2), refusal: null },
    })
  })

  test('of several choices is cut only where needed', () => {
    const choices = ['aX', 'b'].map((text, index) => ({ index, text, finish_reason: 'stop' }))
    const [cut] = cutterFor(['X'], 2).accept([asDelta({ ...textChunk('', 'stop'), choices })])
    expect(cut?.value.choices.map(({ text }) => text)).toEqual(['a', 'b'])
  })
})

test('a stop string in an echoed prompt does not count', () => {
  const cutter = createStopCutter({ stops: ['X'], wanted: 1, echoed: () => 4 })
  const seen = ['aX', 'bX', 'cX'].flatMap((text) => cutter.accept([asDelta(textChunk(text))]))
  expect(seen.map(({ value: chunk }) => chunk.choices[0]?.text)).toEqual(['aX', 'bX', 'c'])
})

function cutterFor(stops: readonly string[], wanted = 1) {
  return createStopCutter({ stops, wanted, echoed: () => 0 })
}

function asDelta(chunk: JsonObject): Delta {
  return JsonText.read(chunk, JSON.stringify(chunk)) as unknown as Delta
}
