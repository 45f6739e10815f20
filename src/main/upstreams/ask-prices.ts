import type { PriceBook } from '../../catalog/price-book.ts'
import type { Config } from '../../config.ts'
import type { Clock, Upstream } from '../../core/model/ports.ts'
import { createTokenizer } from '../../tokenizers/cl100k.ts'
import { isListing, readList, takeList } from './provider-lists.ts'
import { createUpstreams } from './upstreams.ts'

export type PriceAsking = { readonly config: Config; readonly book: PriceBook; readonly clock: Clock }

/**
 * Asks every provider that can list its models for models and prices, once. Returns the names of those that did not
 * answer.
 */
export async function askPrices({ config, book, clock }: PriceAsking, version: string): Promise<string[]> {
  const userAgent = `pandotate-gateway/${version}`
  const tools = { clock, detokenizer: createTokenizer(), userAgent }
  const upstreams = [...createUpstreams(config, tools).values()]
  const asked = upstreams.filter(isListing)
  const ask = async (upstream: Upstream) => {
    const { signal } = new AbortController()
    takeList(book, upstream.name, await readList(upstream, clock, signal))
  }
  try {
    const answers = await Promise.allSettled(asked.map(ask))
    return asked.filter((_, at) => answers[at]?.status === 'rejected').map(({ name }) => name)
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()))
  }
}
