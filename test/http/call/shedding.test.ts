import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import type { Context } from 'koa'
import { describe, expect, test } from 'vitest'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Body } from '../../../src/http/call/body.ts'
import { createShedding, readHeld, type SheddingLimits } from '../../../src/http/call/shedding.ts'

const usual: SheddingLimits = { inFlight: 100, inFlightBytes: 1000, loopDelayMs: 200, heapShare: 0.9 }

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
    const busy = reason === 'event_loop' ? 32 : 1
    const calls = Array.from({ length: busy }, () => admit())
    Object.assign(pressure, pressed)
    expect(reasonNow()).toBe(reason)
    expect(admit).toThrow(
      expect.objectContaining({
        ...{ kind: 'shed', status: 503, code: 'gateway_overloaded', retryAfterMs: 2000 },
        operatorNote: `shed: ${reason}`,
      }),
    )
    expect(read()).toMatchObject({ inFlight: calls.length, shed: { [reason]: 1 } })
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

  test.for([
    ['for a late loop, where it is the only one', 0, { loopDelayMs: 9999 }, 'anyone'],
    ['for a full heap, where it is the only one', 0, { heapShare: 0.99 }, 'anyone'],
    ['for a late loop, below a floor of calls', 31, { loopDelayMs: 9999 }, 'anyone'],
    ['for a late loop, of one who has nothing under way', 64, { loopDelayMs: 9999 }, 'another'],
  ] as const)('never %s', ([, busy, pressed, who]) => {
    const { admit, pressure } = shedding()
    for (let call = 0; call < busy; call++) admit('anyone')
    Object.assign(pressure, pressed)
    admit(who)
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
    const [one, other] = [admit('one'), admit('other')]
    one.hold(400)
    other.hold(600)
    expect(() => other.hold(601)).toThrow(expect.objectContaining({ kind: 'shed' }))
    expect(read()).toMatchObject({ inFlightBytes: 1000, shed: { in_flight_bytes: 1 } })
    one.hold(100)
    other.hold(500)
    one[Symbol.dispose]()
    expect(read().inFlightBytes).toBe(500)
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

  test('piece by piece, as it arrives, whatever was announced', async () => {
    const { admit, read } = shedding()
    using admission = admit()
    const { ctx, stream } = request('9999999')
    const reading = readHeld(ctx, admission, readAll)
    expect(read().inFlightBytes).toBe(0)
    for (const bytes of [100, 300]) {
      stream.write(Buffer.alloc(bytes))
      await new Promise(setImmediate)
    }
    expect(read().inFlightBytes).toBe(400)
    stream.end()
    expect(await reading).toEqual(body(400))
  })

  test('and refused as soon as it becomes too much', async () => {
    const { admit } = shedding()
    using other = admit()
    other.hold(800)
    using admission = admit()
    const { ctx, stream } = request()
    const reading = readHeld(ctx, admission, readAll)
    stream.write(Buffer.alloc(201))
    await expect(reading).rejects.toMatchObject({ kind: 'shed' })
  })

  async function readAll({ req }: Context, hold: (bytes: number) => void = () => {}): Promise<Body> {
    let bytes = 0
    const { promise, resolve, reject } = Promise.withResolvers<Body>()
    req.on('data', (piece: Buffer) => {
      bytes += piece.length
      try {
        hold(bytes)
      } catch (thrown) {
        reject(thrown)
      }
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
