import { expect, test } from 'vitest'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import type { Upstream, UpstreamModel } from '../../src/core/model/ports.ts'
import { refreshPrices } from '../../src/main/price-refresh.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { scriptedUpstream } from '../harness/scripted-upstream.ts'

const log = createLog('silent', { write: () => undefined })
const clock = { now: () => 0, epochMs: () => 1 }

test('what was listed to one is known to the next before there is an answer, but for what is left out', async () => {
  const listed = Promise.withResolvers<void>()
  const upstreams = [lists('kept', 5), lists('changed', 7, listed.resolve)]
  using first = refreshPrices(
    upstreams,
    createPriceBook({ models: [], hardware: [], sources: {} }),
    clock,
    log,
  )
  await listed.promise
  const book = createPriceBook({ models: [], hardware: [], sources: {} })
  const known = first.listsOf(new Set(['kept']))
  using second = refreshPrices([silent('kept'), silent('changed')], book, clock, log, known)
  const priceAt = (name: string) =>
    book.find({ provider: { name, type: 'together', list: undefined }, model: 'm' }, 2)?.price
      .inputNanoUsdPerMillion
  expect([priceAt('kept'), priceAt('changed')]).toEqual([5, undefined])
  expect([...second.listsOf(new Set(['kept', 'changed'])).keys()]).toEqual(['kept'])
})

/** Tells a price, and that it was taken. */
function lists(name: string, input: number, taken: () => void = () => undefined): Upstream {
  const price = {
    inputNanoUsdPerMillion: input,
    cachedInputNanoUsdPerMillion: undefined,
    outputNanoUsdPerMillion: input,
    nanoUsdPerSecond: undefined,
  }
  const models: readonly UpstreamModel[] = [{ id: 'm', contextTokens: undefined, price }]
  return scriptedUpstream([[]], {
    name,
    async listModels() {
      // After all that is done with the answer.
      setImmediate(taken)
      return models
    },
  })
}

function silent(name: string): Upstream {
  return scriptedUpstream([[]], { name, listModels: () => new Promise(() => undefined) })
}
