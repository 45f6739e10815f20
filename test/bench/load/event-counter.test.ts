import { expect, test } from 'vitest'
import { createEventCounter } from '../../../bench/load/event-counter.ts'

function count(pieces: readonly Buffer[]) {
  const counter = createEventCounter()
  for (const piece of pieces) counter.read(piece)
  return { events: counter.events(), terminated: counter.terminated() }
}

test('events are counted the same however the stream is split', () => {
  const wire = Buffer.from('data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n')
  const expected = { events: 3, terminated: true }
  expect(count([wire])).toEqual(expected)
  expect(count([...wire].map((byte) => Buffer.from([byte])))).toEqual(expected)
  for (let cut = 1; cut < wire.length; cut += 1) {
    expect(count([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(expected)
  }
})

test.for([
  ['ends after an event', 'data: {"a":1}\n\n', 1],
  ['ends within the terminator', 'data: {"a":1}\n\ndata: [DONE]\n', 1],
  ['continues after the terminator', 'data: [DONE]\n\ndata: {"a":1}\n\n', 2],
  ['is empty', '', 0],
] as const)('a stream that %s is not terminated', ([, wire, events]) => {
  expect(count([Buffer.from(wire)])).toEqual({ events, terminated: false })
})
