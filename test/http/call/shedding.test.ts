import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import type { Context } from 'koa'
import { describe, expect, test } from 'vitest'
import { JsonText } from '../../../src/core/model/json-text.ts'
import type { Body } from '../../../src/http/call/body.ts'
import { createShedding, readHeld, type SheddingLimits } from '../../../src/http/call/shedding.ts'

const usual: SheddingLimits = { inFlight: 2, inFlightBytes: 1000, loopDelayMs: 200, heapShare: 0.9 }

function shedding(change: Partial<SheddingLimits> = {}, pressure = { loopDelayMs: 0, heapShare: 0.5 }) {
  const limits = { ...usual, ...change }
  return { limits, pressure, ...createShedding({ limits: () => limits, pressure, random: () => 0.5 }) }
}

describe('a call is turned away', () => {
  test.for([
    ['in_flight', { inFlight: 1 }, {}],
    ['event_loop', {}, { loopDelayMs: 201 }],
    ['heap', {}, { heapShare: 0.91 }],
  ] as const)('for %s, and told when to come back', ([reason, limits, pressed]) => {
    const { admit, read, reason: reasonNow, pressure } = shedding(limits)
    using _ = admit()
    Object.assign(pressure, pressed)
    expect(reasonNow()).toBe(reason)
    expect(admit).toThrow(
      expect.objectContaining({
        ...{ kind: 'shed', status: 503, code: 'gateway_overloaded', retryAfterMs: 2000 },
        operatorNote: `shed: ${reason}`,
      }),
    )
    expect(read()).toMatchObject({ inFlight: 1, shed: { [reason]: 1 } })
  })

  test('no longer, once what was in the way is over', () => {
    const { admit, pressure, reason } = shedding({ inFlight: 1 })
    const first = admit()
    expect(admit).toThrow()
    first[Symbol.dispose]()
    pressure.loopDelayMs = 200
    pressure.heapShare = 0.9
    expect(reason()).toBeUndefined()
    using _ = admit()
  })

  test('by the limits that hold now', () => {
    const { admit, limits, read } = shedding({ inFlight: 1 })
    using _ = admit()
    limits.inFlight = 2
    using _another = admit()
    expect(read().inFlight).toBe(2)
  })
})

describe('the bytes of bodies', () => {
  test('are summed over all calls, each as far as it is known, until it is over', () => {
    const { admit, read } = shedding()
    const [one, other] = [admit(), admit()]
    one.hold(400)
    other.hold(600)
    expect(() => other.hold(601)).toThrow(expect.objectContaining({ kind: 'shed' }))
    expect(read()).toMatchObject({ inFlightBytes: 1000, shed: { in_flight_bytes: 1 } })
    one.hold(100)
    other.hold(900)
    one[Symbol.dispose]()
    expect(read().inFlightBytes).toBe(900)
    other[Symbol.dispose]()
    expect(read()).toMatchObject({ inFlight: 0, inFlightBytes: 0 })
  })

  test('of a call that is alone may be any number', () => {
    const { admit, read } = shedding()
    using one = admit()
    one.hold(5000)
    expect(read().inFlightBytes).toBe(5000)
    using other = admit()
    expect(() => other.hold(1)).toThrow(expect.objectContaining({ operatorNote: 'shed: in_flight_bytes' }))
  })
})

describe('a body is counted', () => {
  const body = (bytes: number): Body => ({ json: JsonText.of({}), bytes })

  test.for([
    ['by its length, before it is read', '700', 700],
    ['at most as long as one may be', '9999999', 800],
  ] as const)('%s', async ([, length, held]) => {
    const { admit, read } = shedding()
    using admission = admit()
    const reading = readHeld(request(length).ctx, admission, async () => body(5), 800)
    expect(read().inFlightBytes).toBe(held)
    await reading
    expect(read().inFlightBytes).toBe(5)
  })

  test('piece by piece, where its length is not told', async () => {
    const { admit, read } = shedding()
    using admission = admit()
    const { ctx, stream } = request()
    const reading = readHeld(ctx, admission, readAll, 800)
    for (const bytes of [100, 300]) {
      stream.write(Buffer.alloc(bytes))
      await new Promise(setImmediate)
    }
    expect(read().inFlightBytes).toBe(400)
    stream.end()
    expect(await reading).toEqual(body(400))
  })

  test('and the rest of it is let go, where it becomes too much', async () => {
    const { admit } = shedding()
    using other = admit()
    other.hold(800)
    using admission = admit()
    const { ctx, stream } = request()
    const reading = readHeld(ctx, admission, readAll, 800)
    stream.write(Buffer.alloc(201))
    await expect(reading).rejects.toMatchObject({ kind: 'shed' })
    expect(stream.listenerCount('data')).toBe(0)
  })

  async function readAll({ req }: Context): Promise<Body> {
    let bytes = 0
    const { promise, resolve } = Promise.withResolvers<Body>()
    req.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    req.on('end', () => resolve(body(bytes)))
    return await promise
  }
})

function request(length?: string): { readonly ctx: Context; readonly stream: PassThrough } {
  const stream = new PassThrough()
  const headers = length === undefined ? {} : { 'content-length': length }
  const req = Object.assign(stream, { headers }) as unknown as IncomingMessage
  return { ctx: { req } as Context, stream }
}
