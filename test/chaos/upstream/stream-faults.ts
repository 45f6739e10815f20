import { chunkText, endChoice, usageOf, wordChoice } from './answer.ts'
import type { Fault, Served } from './fault-upstream.ts'
import {
  beginStream,
  breakOff,
  closeStream,
  endEvents,
  eventText,
  opening,
  sayBytes,
  sayEvents,
  sayWhole,
  sayWords,
  usageEvent,
  wordEvents,
} from './speech.ts'

/** How many words come before a stream breaks. */
export const wordsBefore = 3

/** Streams that break, stall or say too much. They answer whole where no stream was requested. */
export const streamFaults: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries({
    'headers-then-silence': (served: Served) => {
      served.work(0)
      beginStream({ ...served, kind: 'text' })
    },
    'role-then-silence': (served: Served) => {
      served.work(0)
      beginStream(served)
    },
    'comments-then-silence': (served: Served) => {
      served.work(0)
      beginStream(served)
      sayBytes(served, ': thinking\n\n'.repeat(20))
    },
    'error-first': (served: Served) => {
      beginStream(served)
      sayEvents(served, ['{"error":{"message":"No memory","type":"server_error"}}'])
      served.finish()
    },
    'error-event-first': (served: Served) => {
      beginStream(served)
      sayBytes(served, 'event: error\ndata: {"message":"No memory"}\n\n')
      served.finish()
    },
    'page-first': (served: Served) => {
      beginStream(served)
      sayEvents(served, ['<html>'])
      served.finish()
    },
    'cut-reset': (served: Served) => cut(served, () => breakOff(served, 'reset')),
    'cut-close': (served: Served) => cut(served, () => breakOff(served, 'close')),
    // The end of the connection is the end of the body: nothing in HTTP tells this from a whole answer.
    'cut-clean': (served: Served) => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
      served.work(wordsBefore)
      const events = [...opening(served), ...wordEvents(served, wordsBefore)]
      served.socket.write(head + events.map(eventText).join(''))
      served.whenHeard(() => breakOff(served, 'close'))
    },
    'cut-ended': (served: Served) =>
      cut(served, () => {
        served.socket.write('0\r\n\r\n')
        served.finishUntold()
      }),
    'cut-done': (served: Served) =>
      cut(served, () => {
        sayEvents(served, ['[DONE]'])
        served.socket.write('0\r\n\r\n')
        served.finishUntold()
      }),
    'error-after': (served: Served) =>
      cut(served, () => {
        sayEvents(served, ['{"error":{"message":"No memory","code":500}}'])
        served.finishUntold()
      }),
    'garbage-after': (served: Served) =>
      cut(served, () => {
        sayEvents(served, ['{"choices":['])
        served.finishUntold()
      }),
    'stall-after': (served: Served) => cut(served, () => undefined),
    'drip-after': (served: Served) => cut(served, () => served.every(5, () => sayBytes(served, ':'))),
    'tool-cut': (served: Served) => {
      const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":' } }
      served.work(wordsBefore)
      beginStream(served)
      const choice = { delta: { tool_calls: [{ index: 0, ...call }] } }
      sayEvents(served, [chunkText(served.kind, served.model, choice)])
      breakOff(served, 'close')
    },
    'no-done': (served: Served) => ended(served, endEvents(served).slice(0, -1)),
    'end-then-reset': (served: Served) => unterminated(served, () => breakOff(served, 'reset')),
    'end-then-silence': (served: Served) => unterminated(served, () => served.finishUntold()),
    'end-then-half': (served: Served) =>
      unterminated(served, () => {
        sayBytes(served, 'data: [DO')
        breakOff(served, 'close')
      }),
    'done-then-more': (served: Served) => ended(served, [...endEvents(served), ...wordEvents(served, 2)]),
    'done-twice': (served: Served) => ended(served, [...endEvents(served), '[DONE]']),
    'usage-twice': (served: Served) =>
      ended(served, [...endEvents(served).slice(0, -1), usageEvent(served), '[DONE]']),
    'usage-every': usageEvery,
    'usage-null': (served: Served) => ended(served, endEvents(served), { usage: null }),
    'usage-negative': (served: Served) => untold(served, { usage: usageOf(-5, -7) }),
    'usage-absurd': (served: Served) => untold(served, { usage: usageOf(1e12, 3) }),
    'usage-none': (served: Served) => untold(served, {}),
    ...lineFaults(),
    flood,
  }).map(([name, fault]) => [name, (served: Served) => (served.stream ? fault(served) : sayWhole(served))]),
)

/** Says some words, then breaks in its way: once the caller has them, or there would be nothing to tell of. */
function cut(served: Served, how: () => void): void {
  beginStream(served)
  sayWords(served, wordsBefore)
  served.whenHeard(how)
}

/** A whole answer, to its finish_reason; what should follow does not. */
function unterminated(served: Served, how: () => void): void {
  beginStream(served)
  sayWords(served, served.words.length)
  sayEvents(served, [chunkText(served.kind, served.model, endChoice(served.kind))])
  how()
}

function ended(
  served: Served,
  events: readonly string[],
  extra: Readonly<Record<string, unknown>> = {},
): void {
  beginStream(served)
  served.work(served.words.length)
  for (const event of wordEvents(served, served.words.length)) {
    sayEvents(served, [JSON.stringify({ ...JSON.parse(event), ...extra })])
  }
  sayEvents(served, events)
  closeStream(served)
}

/** The usage so far in each of the chunks. */
function usageEvery(served: Served): void {
  const { kind, model, words, promptTokens } = served
  beginStream(served)
  served.work(words.length)
  words.forEach((word, at) => {
    const usage = usageOf(promptTokens, at + 1)
    sayEvents(served, [chunkText(kind, model, wordChoice(kind, word), { usage })])
  })
  sayEvents(served, endEvents(served))
  closeStream(served)
}

/** A whole answer, with a usage that cannot be believed, or none. */
function untold(served: Served, extra: Readonly<Record<string, unknown>>): void {
  const { kind, model } = served
  beginStream(served)
  sayWords(served, served.words.length)
  sayEvents(served, [chunkText(kind, model, endChoice(kind), extra), '[DONE]'])
  served.socket.write('0\r\n\r\n')
  served.finishUntold()
}

/** The same answer, its lines written in every way that is allowed, and in some that are not. */
function lineFaults(): Readonly<Record<string, Fault>> {
  return {
    'line-returns': (served) => written(served, (text) => [text.replaceAll('\n', '\r')]),
    'line-both': (served) => written(served, (text) => [text.replaceAll('\n', '\r\n')]),
    'line-mixed': (served) => {
      let turn = 0
      written(served, (text) => [text.replaceAll('\n', () => ['\n', '\r', '\r\n'][turn++ % 3] ?? '\n')])
    },
    mark: (served) => written(served, (text) => [`\ufeff${text}`]),
    comments: (served) =>
      written(served, (text) => [text.replaceAll('data:', ':\n: note\nid: 7\nretry: 5\ndata:')]),
    'no-space': (served) => written(served, (text) => [text.replaceAll('data: ', 'data:')]),
    'several-lines': (served) =>
      written(served, (text) => [text.replaceAll(',"object"', ',\ndata: "object"')]),
    'byte-by-byte': (served) => written(served, bytesOf),
    'tiny-events': (served) => written(served, (text) => [`:\n\n`.repeat(tinyEvents), text]),
    'giant-line': (served) => {
      beginStream(served)
      pour(served, Buffer.alloc(64 * 1024, 'x'), giantBytes)
    },
    'giant-event': (served) => {
      beginStream(served)
      pour(served, Buffer.from('data: x\n'.repeat(8 * 1024)), giantBytes)
    },
  }
}

const tinyEvents = 100_000
const giantBytes = 50 * 1024 * 1024

function bytesOf(text: string): readonly Buffer[] {
  return Array.from(Buffer.from(text), (byte) => Buffer.of(byte))
}

/** The whole answer as a text, in pieces, each a write and a chunk of its own. */
function written(served: Served, pieces: (text: string) => readonly (string | Buffer)[]): void {
  const { words } = served
  const events = [...opening(served), ...wordEvents(served, words.length), ...endEvents(served)]
  served.work(words.length)
  beginStream({ ...served, kind: 'text' })
  for (const piece of pieces(events.map(eventText).join(''))) sayBytes(served, piece)
  closeStream(served)
}

/** Words without end, as fast as they are taken. */
function flood(served: Served): void {
  const event = chunkText(served.kind, served.model, wordChoice(served.kind, served.words.join('')))
  beginStream(served)
  pour(served, Buffer.from(eventText(event).repeat(200)), Number.POSITIVE_INFINITY)
}

/** Writes the same piece over and over, waiting whenever the other side does not keep up. */
function pour(served: Served, piece: Buffer, limitBytes: number): void {
  const { socket } = served
  served.work(0)
  const more = () => {
    while (!socket.destroyed && socket.bytesWritten < limitBytes) {
      sayBytes(served, piece)
      if (socket.writableNeedDrain) return
    }
  }
  socket.on('drain', more)
  more()
}
