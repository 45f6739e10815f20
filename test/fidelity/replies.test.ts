import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer } from '../harness/raw-server.ts'
import { meaningOf, meaningWithout } from './meaning.ts'
import { aliasedModel, sameModel, startPassage } from './passage.ts'
import { counted, replies } from './replies.ts'

describe.for(replies.map((each) => [each.name, each] as const))(
  'Whatever an upstream says of %s',
  ([, { path, request, reply }]) => {
    test.for([sameModel, aliasedModel])('reaches the caller who asked for %s', async (model) => {
      await using passage = await startPassage()
      const body = JSON.stringify({ model, ...request })
      await fc.assert(
        fc.asyncProperty(reply, async ({ sent, due }) => {
          const { status, text } = await passage.post(path, body, answer(sent))
          expect(status, text).toBe(200)
          const isTold = Object.hasOwn(JSON.parse(sent), 'usage')
          if (isTold) expect(meaningOf(text)).toBe(meaningOf(due))
          else expect(meaningWithout(text, counted)).toBe(meaningOf(due))
          // A reply that needs no repair is not serialised again.
          if (isTold && sent === due) expect(text).toBe(sent)
        }),
      )
    })
  },
)
