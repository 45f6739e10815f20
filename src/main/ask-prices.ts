import type { PriceBook } from '../catalog/price-book.ts'
import type { Config } from '../config.ts'
import type { Clock, Upstream } from '../core/model/ports.ts'
import { createTokenizer } from '../tokenizers/cl100k.ts'
import { createUpstreams } from './upstreams.ts'

export type PriceAsking = { readonly config: Config; readonly book: PriceBook; readonly clock: Clock }

/**
 * Asks every provider of a configuration that can be asked for its models and their prices, once. Gives the names of
 * those that did not answer.
 */
export async function askPrices({ config, book, clock }: PriceAsking, version: string): Promise<string[]> {
  const userAgent = `pandotate-gateway/${version}`
  const tools = { clock, detokenizer: createTokenizer(), userAgent }
  const upstreams = [...createUpstreams(config, tools).values()]
  const ask = async (upstream: Upstream) => {
    const models = await upstream.listModels?.(AbortSignal.timeout(answerWithinMs))
    if (models !== undefined) book.refresh(upstream.name, models, clock.epochMs())
  }
  try {
    const answers = await Promise.allSettled(upstreams.map(ask))
    return upstreams.filter((_, at) => answers[at]?.status === 'rejected').map(({ name }) => name)
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()))
  }
}

const answerWithinMs = 30_000
