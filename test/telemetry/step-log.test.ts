import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { bodyShape } from '../../src/telemetry/body-shape.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createStepLog } from '../../src/telemetry/step-log.ts'

const eight = Array.from({ length: 8 }, () => 'number')

describe('the steps of a call', () => {
  test.for([
    ['info', 0, []],
    ['debug', 1, ['plan']],
    ['trace', 1, ['plan', 'request']],
  ] as const)('at %s', ([level, listeners, told]) => {
    const { log, lines } = logAt(level)
    const steps = createStepLog(log).open('req_1')
    expect(steps === undefined ? 0 : 1).toBe(listeners)
    steps?.tell('plan', { strategy: 'first' })
    steps?.shape('request', { model: 'm', messages: [{ role: 'user', content: 'A secret' }] })
    expect(lines().map(({ msg }) => msg)).toEqual(told)
    expect(JSON.stringify(lines())).not.toContain('secret')
    for (const line of lines()) expect(line['requestId']).toBe('req_1')
  })
})

describe('the shape of a body', () => {
  test.for<[string, Record<string, unknown>, unknown]>([
    [
      'has names and lengths, and no values',
      {
        model: 'm',
        stream: true,
        max_tokens: 5,
        stop: null,
        messages: [{ role: 'user', content: 'A secret' }],
      },
      {
        model: 'text 1',
        stream: 'boolean',
        max_tokens: 'number',
        stop: 'null',
        messages: [{ role: 'text 4', content: 'text 8' }],
      },
    ],
    [
      'counts what a caller names',
      { metadata: { 'my secret': 'x', other: 1 }, logit_bias: { 50256: -100 }, 'a b': 1 },
      { metadata: 'section 2', logit_bias: 'section 1', 'name 3': 'number' },
    ],
    [
      'is not deeper than it need be',
      { tools: [{ function: { name: 'f', parameters: { properties: { secret: {} } } } }] },
      { tools: [{ function: { name: 'text 1', parameters: 'section 1' } }] },
    ],
    [
      'is not longer, either',
      { input: Array.from({ length: 20 }, () => 1) },
      { input: [...eight, 'and 12 more'] },
    ],
    ['takes raw numbers', { seed: JSON.rawJSON('1e999') }, { seed: 'number' }],
  ])('%s', ([, body, shape]) => {
    expect(bodyShape(body)).toEqual(shape)
  })
})

function logAt(level: string) {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  return {
    log: createLog(level, destination),
    lines: () => lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  }
}
