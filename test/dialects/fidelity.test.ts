import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../src/core/model/call.ts'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import { dialects } from '../../src/dialects/all.ts'
import { wireText } from '../harness/core/json-text.ts'
import { incoming, usage } from './requests.ts'

/** Unknown fields, of any depth, in any script; `x-` keeps them from meaning something. */
const extras = fc.dictionary(
  fc.string({ unit: 'binary' }).map((name) => `x-${name}`),
  fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
)

const minimal: Record<string, JsonObject> = {
  inference: { model: 'm', prompt: 'Hello' },
  completions: { model: 'm', prompt: ['Hello', '模型 😀'] },
  chat: { model: 'm', messages: [{ role: 'user', content: 'Hello' }] },
}

/** Those whose requests are of OpenAI's own shape: the others translate. */
const untranslated = dialects.filter(({ name }) => name in minimal)

describe.for(untranslated.map((dialect) => [dialect.name, dialect] as const))(
  'In the dialect %s',
  ([name, dialect]) => {
    test('whatever else a request holds, the call has the same object and the same text', () => {
      fc.assert(
        fc.property(extras, (more) => {
          const request = incoming({ ...more, ...minimal[name] })
          const before = JSON.stringify(request.body)
          const call = dialect.parse(request)
          expect(call.body).toBe(request.body)
          expect(JSON.stringify(call.body)).toBe(before)
          expect(call.body.text).toBe(request.body.text)
        }),
      )
    })

    test('no value of a known field does worse than a refusal', () => {
      const field = fc.constantFrom(
        ...'model prompt messages n best_of stop stream stream_options seed tools'.split(' '),
      )
      fc.assert(
        fc.property(field, fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (key, value, strict) => {
          try {
            dialect.parse(incoming({ ...minimal[name], [key]: value }, strict))
          } catch (thrown) {
            expect(thrown).toMatchObject({ name: 'Failure', kind: 'invalid_request', status: 400 })
          }
        }),
      )
    })
  },
)

describe.for(untranslated.filter(({ name }) => name !== 'inference').map((d) => [d.name, d] as const))(
  'In the dialect %s',
  ([name, dialect]) => {
    const call = dialect.parse(incoming({ ...minimal[name], stream: true }))
    const told = { slow: false }

    test('whatever else an answer holds reaches the caller', () => {
      fc.assert(
        fc.property(extras, fc.boolean(), (more, quoted) => {
          const chunk: Chunk = { ...more, ...answer, usage }
          const source = quoted ? JSON.stringify(chunk) : undefined
          expect(JSON.parse(dialect.render({ chunk: wireText(chunk, source), usage }, call, told))).toEqual(
            asSent(chunk),
          )
        }),
      )
    })

    test('whatever else a chunk holds reaches the caller, in one frame of one line', () => {
      fc.assert(
        fc.property(extras, fc.constantFrom(undefined, 0, 2), (more, indent) => {
          const chunk: Chunk = { ...more, ...answer }
          const source = indent === undefined ? undefined : JSON.stringify(chunk, undefined, indent)
          const frames = dialect.encoder(call, () => told).encode([wireText(chunk, source)])
          const [, json] = /^data: ([^\r\n]*)\n\n$/.exec(frames) ?? []
          expect(JSON.parse(json ?? 'null')).toEqual(asSent(chunk))
        }),
      )
    })
  },
)

const answer: Chunk = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1700000000,
  model: 'm',
  choices: [{ text: '模型 😀', index: 0, logprobs: null, finish_reason: 'stop' }],
}

/** JSON has no -0. */
function asSent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
