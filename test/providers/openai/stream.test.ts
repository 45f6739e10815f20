import { expect, test } from 'vitest'
import type { RawDelta } from '../../../src/core/model/call.ts'
import { asFailure, Failure } from '../../../src/core/model/failure.ts'
import { Events } from '../../../src/providers/openai/stream.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { chunk, lastChunk, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { openWire, post } from '../../harness/wire.ts'

const refused = new Failure('overloaded', 'Too much.')
const done = event('[DONE]')

/** The connection goes. */
const cut = 'cut'

test.for([
  ['its terminator', [word('b'), done], ['a', 'b', 'over', 'over']],
  ['its terminator, right after the last word', [word('b') + done], ['a', 'b', 'over', 'over']],
  ['the end of its body', [word('b'), lastChunk], ['a', 'b', 'over', 'over']],
  [
    'what says nothing, and more',
    [event(''), String(chunk(': ping\n\n')), word('b'), done],
    ['a', 'b', 'over'],
  ],
  ['a cut', [cut], ['a', 'interrupted', 'over']],
  ['a cut after a word', [word('b'), cut], ['a', 'b', 'interrupted', 'over']],
  ['half an event', [String(chunk('data: {"a"')), lastChunk], ['a', 'interrupted', 'interrupted']],
  ['no JSON', [event('{a}')], ['a', 'invalid_response', 'invalid_response']],
  ['no JSON, right after a word', [word('b') + event('{a}')], ['a', 'b', 'invalid_response']],
  ['a line beyond all measure', [String(chunk('x'.repeat(1_100_000)))], ['a', 'invalid_response', 'over']],
] as const)('who takes the steps of a stream that continues with %s is told so', async ([, rest, told]) => {
  await using server = await startRawServer((socket) => socket.write(streamHead() + word('a')))
  await using wire = openWire(server.origin, { lingerMs: 1 })
  const events = new Events(() => post(wire, startAttempt()), 'up', { notes: {} })
  const seen = [await step(events)]
  const { socket } = await server.arrival(1)
  for (const bytes of rest) {
    if (bytes === cut) socket.end()
    else socket.write(bytes)
  }
  while (seen.length < told.length) seen.push(await step(events))
  expect(seen).toEqual(told)
  // A connection whose answer ended may serve again; of any other, nobody wants what it has yet to give.
  if (rest.at(-1) !== lastChunk) await server.idle()
})

test('who takes the first step is told why there is none', async () => {
  const events = new Events(() => Promise.reject(refused), 'up', { notes: {} })
  expect([await step(events), await step(events)]).toEqual(['overloaded', 'over'])
})

/** What one step tells: a word, the end or what is wrong. */
function step(events: Events): Promise<string> {
  return events.takeStep(
    ({ done: isOver, value }) => (isOver === true ? 'over' : value.map(wordOf).join('')),
    (thrown) => asFailure(thrown).kind,
  )
}

function wordOf({ value: { choices } }: RawDelta): string {
  return (choices as readonly { readonly text: string }[]).map(({ text }) => text).join('')
}

function word(text: string): string {
  return event(JSON.stringify({ id: 'up-1', choices: [{ index: 0, text, finish_reason: null }] }))
}

/** In a chunk of the body. */
function event(data: string): string {
  return String(chunk(`data: ${data}\n\n`))
}
