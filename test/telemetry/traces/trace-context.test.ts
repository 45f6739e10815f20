import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type SamplerName, spanIdOf, traceHeaders } from '../../../src/core/model/trace.ts'
import { createTraceStart } from '../../../src/telemetry/traces/trace-context.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

function begin(
  headers: Readonly<Record<string, string>>,
  sampler: SamplerName = 'parentbased_traceidratio',
  ratio = 1,
) {
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex')
  return createTraceStart({ sampler, ratio, isPropagated: true, randomHex })(headers, '/v1/completions')
}

describe('the caller’s traceparent', () => {
  test.for([
    ['as defined by W3C', `00-${trace}-${span}-01`, true],
    ['of a later version, with more fields', `cc-${trace}-${span}-01-what`, true],
    ['with bits that are not known', `00-${trace}-${span}-ff`, true],
    ['of version 0 with more fields', `00-${trace}-${span}-01-what`, false],
    ['of the invalid version', `ff-${trace}-${span}-01`, false],
    ['in capitals', `00-${trace.toUpperCase()}-${span}-01`, false],
    ['of an invalid trace', `00-${'0'.repeat(32)}-${span}-01`, false],
    ['of an invalid span', `00-${trace}-${'0'.repeat(16)}-01`, false],
    ['too short', `00-${trace}-${span}`, false],
    ['twice', `00-${trace}-${span}-01, 00-${trace}-${span}-01`, false],
    ['that is something else', 'hello', false],
  ] as const)('%s', ([, traceparent, isContinued]) => {
    const begun = begin({ traceparent, tracestate: 'a=1' })
    expect(begun.traceId === trace).toBe(isContinued)
    expect(begun.parentSpanId).toBe(isContinued ? span : undefined)
    expect(begun.state).toBe(isContinued ? 'a=1' : undefined)
    expect(begun.traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  test.for([
    ['unchanged', 'vendor=1,other=x@y', 'vendor=1,other=x@y'],
    ['not if it is longer than the required maximum', 'a'.repeat(513), undefined],
    ['not with characters that headers have not', 'a=\u00e9', undefined],
  ] as const)('has its tracestate forwarded %s', ([, tracestate, expected]) => {
    const begun = begin({ traceparent: `00-${trace}-${span}-01`, tracestate })
    expect(begun.state).toBe(expected)
    expect(traceHeaders(begun, 0, false)?.[3]).toBe(expected)
  })
})

describe('a sampler', () => {
  const sampled = { traceparent: `00-${trace}-${span}-01` }
  const unsampled = { traceparent: `00-${trace}-${span}-00` }
  test.for<[SamplerName, number, string, string, string]>([
    ['always_on', 0, 'this', 'this', 'this'],
    ['always_off', 1, 'none', 'none', 'none'],
    ['traceidratio', 1, 'this', 'this', 'this'],
    ['traceidratio', 0, 'odd', 'odd', 'odd'],
    ['parentbased_always_on', 0, 'this', 'this', 'odd'],
    ['parentbased_always_off', 1, 'odd', 'this', 'odd'],
    ['parentbased_traceidratio', 1, 'this', 'this', 'odd'],
    ['parentbased_traceidratio', 0, 'odd', 'this', 'odd'],
  ])(
    '%s with %d samples a new trace: %s, a sampled one: %s, an unsampled one: %s',
    ([sampler, ratio, ...expected]) => {
      const decided = [{}, sampled, unsampled].map((headers) => begin(headers, sampler, ratio).keeps)
      expect(decided).toEqual(expected)
    },
  )

  test('by ratio decides by the end of the trace id, like every other gateway', () => {
    const decide = (end: string) =>
      begin({ traceparent: `00-${trace.slice(0, 18)}${end}-${span}-00` }, 'traceidratio', 0.25).keeps
    expect(decide('00000000000001')).toBe('this')
    expect(decide('03ffffffffffff')).toBe('this')
    expect(decide('04000000000000')).toBe('odd')
    expect(decide('0fffffffffffff')).toBe('odd')
  })

  test('by ratio samples about its share of new traces', () => {
    const kept = Array.from({ length: 20_000 }, () => begin({}, 'parentbased_traceidratio', 0.1).keeps)
    const share = kept.filter((keeps) => keeps === 'this').length / kept.length
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.12)
  })
})

describe('the headers of an attempt', () => {
  test('name its own unique span', () => {
    const begun = begin({ traceparent: `00-${trace}-${span}-01` })
    const ids = [spanIdOf(begun), ...[0, 1, 2].map((attempt) => spanIdOf(begun, attempt))]
    expect(new Set(ids).size).toBe(4)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(traceHeaders(begun, 1, false)).toEqual(['traceparent', `00-${trace}-${ids[2]}-01`])
  })

  test.for([
    ['is sampled', 'parentbased_always_on', {}, false, '01'],
    ['is not', 'traceidratio', {}, false, '00'],
    ['is not, but has failed over, so that it is kept', 'traceidratio', {}, true, '01'],
    ['has failed over with sampling off', 'always_off', {}, true, '00'],
    [
      'has a random id according to its caller',
      'always_on',
      { traceparent: `00-${trace}-${span}-02` },
      false,
      '03',
    ],
  ] as const)('carry the sampled flag of a call that %s', ([, sampler, headers, isOdd, flags]) => {
    expect(traceHeaders(begin(headers, sampler, 0), 0, isOdd)?.[1]?.slice(-2)).toBe(flags)
  })

  test('are none if propagation is off', () => {
    expect(traceHeaders({ ...begin({}), isPropagated: false }, 0, false)).toBeUndefined()
  })
})
