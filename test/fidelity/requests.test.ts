import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer } from '../harness/raw-server.ts'
import { extraMembers, objectWith } from './anything.ts'
import { meaningOf, meaningWithout } from './meaning.ts'
import { aliasedModel, aliasedName, sameModel, startPassage } from './passage.ts'
import { type Asked, paths } from './requests.ts'

/** What of a request is the gateway's to decide: the model's name there, and whether usage is told in a stream. */
const settled = ['model', 'stream_options']

/** What of a request goes no further: it says where the call may run. */
const steering = { provider: '{"allow_fallbacks":true}' }

/** The upstream has nothing to say here: only what it was asked matters. */
const refusal = answer('{"error":{"message":"no"}}', { status: 400 })

const models = [
  ['under the name the upstream has, too', sameModel, sameModel],
  ['under another name than the upstream has', aliasedModel, aliasedName],
] as const

describe.for(paths.map((each) => [each.path, each] as const))('A request to %s', ([, { path, members }]) => {
  describe.for(models)('for a model %s', ([, model, upstreamModel]) => {
    test('reaches the upstream as it was written, but for the name', async () => {
      await using passage = await startPassage()
      await fc.assert(
        fc.asyncProperty(members, async (asked) => {
          const { asked: arrived } = await passage.post(path, written(asked, model), refusal)
          expect(arrived).toBe(written(asked, upstreamModel))
        }),
      )
    })

    test('reaches the upstream whole where it says how it is to be routed', async () => {
      await using passage = await startPassage()
      await fc.assert(
        fc.asyncProperty(members, async (asked) => {
          const { asked: arrived = '' } = await passage.post(path, written(asked, model, steering), refusal)
          expect(meaningOf(arrived)).toBe(meaningOf(written(asked, upstreamModel)))
        }),
      )
    })
  })

  test('with a key named __proto__ is refused, and nothing is sent', async () => {
    await using passage = await startPassage()
    const body = objectWith({ model: '"m"', 'x-more': '{"\\u005f_proto__": 1}' })
    const { status, asked } = await passage.post(path, body, refusal)
    expect([status, asked]).toEqual([400, undefined])
  })
})

const streaming = paths.filter(({ streams }) => streams)

describe.for(streaming.map((each) => [each.path, each] as const))(
  'A request for a stream to %s',
  ([, { path, members }]) => {
    test.for(models)('for a model %s reaches the upstream whole', async ([, model, upstreamModel]) => {
      await using passage = await startPassage()
      const options = fc.option(extraMembers(['include_usage', 'include_obfuscation']), { nil: undefined })
      await fc.assert(
        fc.asyncProperty(members, options, fc.boolean(), async (asked, extra, isSteered) => {
          const given = extra === undefined ? {} : { stream_options: objectWith({}, extra) }
          const known = { ...given, ...(isSteered ? steering : {}), stream: 'true' }
          const { asked: arrived = '' } = await passage.post(path, written(asked, model, known), refusal)
          const expected = written(asked, upstreamModel, { stream: 'true' })
          expect(meaningWithout(arrived, settled)).toBe(meaningWithout(expected, settled))
          const wanted = {
            model: JSON.stringify(upstreamModel),
            stream_options: objectWith({ include_usage: 'true' }, extra),
          }
          expect(onlyOf(arrived, settled)).toBe(meaningOf(objectWith(wanted)))
        }),
      )
    })
  },
)

test('Every spelling of a name that is there twice is set', async () => {
  await using passage = await startPassage()
  const body = `{"model":"alias", "mod\\u0065l" :"alias","prompt":"x"}`
  const { asked } = await passage.post('/completions', body, refusal)
  const name = JSON.stringify(aliasedName)
  expect(asked).toBe(`{"model":${name}, "mod\\u0065l" :${name},"prompt":"x"}`)
})

function written(
  { known, extra }: Asked,
  model: string,
  more: Readonly<Record<string, string>> = {},
): string {
  return objectWith({ model: JSON.stringify(model), ...known, ...more }, extra)
}

function onlyOf(text: string, names: readonly string[]): string {
  const others = Object.keys(JSON.parse(text)).filter((name) => !names.includes(name))
  return meaningWithout(text, others)
}
