import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { createOpenCalls, shuttingDown } from '../../../src/http/call/open-calls.ts'

test('every call is ended, whichever of them close as others end', async () => {
  const calls = createOpenCalls()
  const responses = Array.from({ length: 4 }, aResponse)
  const signals = responses.map((response) => calls.open(response))
  // The one that is ended first takes those beside it along.
  for (const signal of signals) {
    signal.addEventListener('abort', () => {
      responses[1]?.emit('close')
      responses[2]?.emit('close')
    })
  }
  calls.end(shuttingDown())
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true])
  responses[0]?.emit('close')
  responses[3]?.emit('close')
  await expect(calls.ended()).resolves.toBeUndefined()
})

test.for([
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
  [1, 2, 0],
])('none is left once all have closed: %s, %s, %s', async (order) => {
  const calls = createOpenCalls()
  const responses = order.map(aResponse)
  for (const response of responses) calls.open(response)
  let hasEnded = false
  const ended = calls.ended().then(() => {
    hasEnded = true
  })
  for (const at of order) {
    await Promise.resolve()
    expect(hasEnded).toBe(false)
    responses[at]?.emit('close')
  }
  await ended
})

function aResponse(): ServerResponse {
  const response = Object.assign(new EventEmitter(), { destroyed: false, writableFinished: true })
  return response as unknown as ServerResponse
}
