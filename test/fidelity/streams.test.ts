import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { streamed } from '../harness/raw-server.ts'
import { objectWith } from './anything.ts'
import { meaningOf, meaningWithout } from './meaning.ts'
import { aliasedModel, sameModel, startPassage } from './passage.ts'
import { topExtra, usageText } from './replies.ts'
import { chatChunks, textChunks } from './streams.ts'

const kinds = [
  [
    'a chat',
    { path: '/chat/completions', ask: { messages: [{ role: 'user', content: 'Hi' }] }, chunks: chatChunks() },
  ],
  ['a text', { path: '/completions', ask: { prompt: 'Hi' }, chunks: textChunks() }],
] as const

describe.for(kinds)('Whatever an upstream says in a stream of %s', ([, { path, ask, chunks }]) => {
  const request = (model: string, more: object = {}) =>
    JSON.stringify({ model, ...ask, stream: true, ...more })

  test.for([sameModel, aliasedModel])(
    'reaches the caller who asked for %s, chunk by chunk',
    async (model) => {
      await using passage = await startPassage()
      await fc.assert(
        fc.asyncProperty(chunks, fc.array(fc.nat(), { maxLength: 8 }), async ({ sent, due }, cuts) => {
          const bytes = streamed(cut(eventsOf([...sent, usageChunk('{}')]), cuts))
          const { text } = await passage.post(path, request(model), bytes)
          const got = payloadsOf(text)
          expect(got.map(meaningOf)).toEqual(due.map(meaningOf))
          for (const [at, payload] of got.entries()) if (sent[at] === due[at]) expect(payload).toBe(sent[at])
        }),
      )
    },
  )

  test('reaches the caller who wants usage, with every detail of it', async () => {
    await using passage = await startPassage()
    await fc.assert(
      fc.asyncProperty(
        chunks,
        usageText,
        topExtra,
        fc.boolean(),
        async ({ sent, due }, usage, extra, isWithLast) => {
          const events = isWithLast
            ? [...sent.slice(0, -1), sent.at(-1)!.replace(/}$/, `,"usage":${usage}}`)]
            : [...sent, usageChunk(usage, extra)]
          const bytes = streamed([eventsOf(events)])
          const { text } = await passage.post(
            path,
            request(sameModel, { stream_options: { include_usage: true } }),
            bytes,
          )
          const got = payloadsOf(text)
          const last = got.pop() ?? ''
          expect(got.map(meaningOf)).toEqual(due.map((chunk) => meaningOf(withNullUsage(chunk))))
          expect(meaningWithout(last, ['object'])).toBe(
            meaningWithout(usageChunk(usage, isWithLast ? [] : extra), ['object']),
          )
        },
      ),
    )
  })
})

function usageChunk(usage: string, extra: Parameters<typeof objectWith>[1] = []): string {
  const known = { id: '"id-1"', object: '"x"', created: '1700000000', model: '"m"', choices: '[]', usage }
  return objectWith(known, extra)
}

function withNullUsage(chunk: string): string {
  return chunk.replace(/}$/, ',"usage":null}')
}

function eventsOf(payloads: readonly string[]): Buffer {
  return Buffer.from([...payloads, '[DONE]'].map((payload) => `data: ${payload}\n\n`).join(''))
}

/** The same bytes in pieces, wherever that may be: in the middle of an event, or of a character. */
function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((place) => place % bytes.length))].filter((place) => place > 0)
  const edges = [0, ...places.toSorted((one, other) => one - other), bytes.length]
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge))
}

/** The payload of each event but the last, which says that it is done. */
function payloadsOf(text: string): string[] {
  const payloads = text.split('\n\n').flatMap((event) => (event === '' ? [] : [event.replace(/^data: /, '')]))
  expect(payloads.pop(), text).toBe('[DONE]')
  return payloads
}
