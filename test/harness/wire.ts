import { Failure } from '../../src/core/model/failure.ts'
import type { Attempt } from '../../src/core/model/ports.ts'
import type { WireParts } from '../../src/providers/wire/exchange-parts.ts'
import { createWire, requestHeaders, type Wire } from '../../src/providers/wire/wire.ts'
import type { WireAnswer } from '../../src/providers/wire/wire-answer.ts'

/** A wire to a test's upstream, closed with its scope. */
export function openWire(origin: string, parts: Partial<WireParts> = {}): Wire & AsyncDisposable {
  const clock = { now: () => 42, epochMs: () => 0 }
  const wire = createWire({ name: 'up', origin, connectMs: 2000, connections: 2, clock, ...parts })
  return { ...wire, [Symbol.asyncDispose]: () => wire.close() }
}

export function post(wire: Wire, attempt: Attempt, body = '{}'): Promise<WireAnswer> {
  return wire.post('/v1/x', requestHeaders('tester/1', 'Bearer k'), body, attempt)
}

/** The Failure that a promise rejects with; anything else is an error of the test. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(thrown instanceof Failure)) throw new Error('no Failure was thrown', { cause: thrown })
  return thrown
}

export async function readAll(chunks: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of chunks) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}
