import { answer, streamHead } from '../../harness/raw-server.ts'
import type { Fault, Served } from './fault-upstream.ts'
import {
  beginStream,
  breakOff,
  closeStream,
  endEvents,
  opening,
  sayEvents,
  sayWhole,
  wholeReply,
  wordEvents,
} from './speech.ts'

/** Answers that are none, whichever form was requested; and the sound one. */
export const wholeFaults: Readonly<Record<string, Fault>> = {
  whole: sayWhole,
  silent: (served) => served.work(0),
  reset: (served) => broken(served, '', 'reset'),
  close: (served) => broken(served, '', 'close'),
  'headers-reset': (served) => broken(served, headOfReply(served), 'reset'),
  'headers-close': (served) => broken(served, headOfReply(served), 'close'),
  'half-length': (served) => broken(served, headOfReply(served) + half(served), 'close'),
  'half-chunked': (served) => broken(served, `${chunkedHead}fff\r\n${half(served)}`, 'close'),
  'half-closing': (served) => broken(served, `${closingHead}${half(served)}`, 'close'),
  'half-told-whole': (served) => unusable(served, (text) => text.slice(0, text.length / 2)),
  page: (served) => unusable(served, () => '<!doctype html><title>Sign in</title>', 'text/html'),
  'page-as-json': (served) => unusable(served, () => '<!doctype html><title>Sign in</title>'),
  empty: (served) => unusable(served, () => ''),
  'empty-object': (served) => unusable(served, () => '{}'),
  'no-choices': (served) => unusable(served, () => '{"choices":[]}'),
  'error-inside': (served) =>
    unusable(served, () => '{"error":{"message":"No memory","type":"server_error"}}'),
  drip: (served) => {
    served.work(0)
    served.socket.write(served.stream ? `${streamHead()}` : chunkedHead)
    // White space and comments: a body that grows for ever and never says anything.
    served.every(dripMs, () => served.socket.write(`1\r\n${served.stream ? ':' : ' '}\r\n`))
  },
  'long-headers': (served) => {
    served.socket.write(answer(wholeReply(served), { headers: { 'x-long': 'x'.repeat(40_000) } }))
    served.finishUntold()
  },
  hints: (served) => {
    served.socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(500))
    sayWhole(served)
  },
  continue: (served) => {
    served.socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    served.finishUntold()
  },
  switch: (served) => {
    served.socket.write('HTTP/1.1 101 Up\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
    served.finishUntold()
  },
  'no-content': (served) => {
    served.socket.write(`HTTP/1.1 204 No Content\r\n\r\n${wholeReply(served)}`)
    served.finishUntold()
  },
  'two-framings': (served) => {
    const text = wholeReply(served)
    const framing = `transfer-encoding: chunked\r\ncontent-length: ${text.length}\r\n`
    served.socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${framing}\r\n${text}`)
    served.finishUntold()
  },
  'two-lengths': (served) => {
    const lengths = 'content-length: 2\r\ncontent-length: 3\r\n'
    served.socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${lengths}\r\n{} `)
    served.finishUntold()
  },
  'no-http': (served) => {
    served.socket.write('SSH-2.0-OpenSSH_9.2\r\n')
    served.finishUntold()
  },
  // A second answer to the same question, for anyone who comes next to mistake for its own.
  'extra-answer': (served) => {
    const poison = answer('{"choices":[{"index":0,"text":"poison","finish_reason":"stop"}]}')
    sayWhole(served)
    served.socket.write(poison)
  },
  // Closes right behind its tenth answer, without having said so: the next request may be on its way already.
  stale: (served) => {
    const isLast = served.turn === turnsUntilStale
    // A reset may overtake the end of the answer.
    sayWhole(isLast ? { ...served, finish: served.finishUntold } : served)
    if (isLast) setImmediate(() => served.socket.resetAndDestroy())
  },
  // Takes its time between the words, but comes to its end.
  unhurried: (served) => {
    if (!served.stream) {
      setTimeout(() => {
        if (!served.socket.destroyed) sayWhole(served)
      }, slowMs)
      return
    }
    const events = [...opening(served), ...wordEvents(served, served.words.length), ...endEvents(served)]
    beginStream({ ...served, kind: 'text' })
    served.work(0)
    served.every(betweenMs, () => {
      const event = events.shift()
      if (event === undefined) return
      sayEvents(served, [event])
      if (events.length >= 3) served.work(1)
      if (events.length === 0) closeStream(served)
    })
  },
}

const slowMs = 300
const dripMs = 5
const betweenMs = 25
const turnsUntilStale = 10

const chunkedHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
const closingHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n'

function headOfReply(served: Served): string {
  const length = Buffer.byteLength(wholeReply(served))
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
}

function half(served: Served): string {
  const text = wholeReply(served)
  return text.slice(0, text.length / 2)
}

function broken(served: Served, bytes: string, how: 'reset' | 'close'): void {
  // Only the upstream knows whether it had worked by then.
  served.work(served.words.length)
  served.socket.write(bytes)
  breakOff(served, how)
}

/** Complete as HTTP goes, and charged for, but of no use. */
function unusable(served: Served, change: (text: string) => string, contentType = 'application/json'): void {
  served.work(served.words.length)
  served.socket.write(answer(change(wholeReply(served)), { headers: { 'content-type': contentType } }))
  served.finishUntold()
}
