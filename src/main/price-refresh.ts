import type { Logger } from 'pino'
import type { PriceBook } from '../catalog/price-book.ts'
import type { Clock, Upstream, UpstreamModel } from '../core/model/ports.ts'

/** Prices that upstreams are asked for, until it is disposed. */
export interface PriceRefresh extends Disposable {
  /** What the upstreams of these names listed last. */
  listsOf(names: ReadonlySet<string>): PriceLists
}

/** By the upstream's name. */
export type PriceLists = ReadonlyMap<string, PriceList>

type PriceList = { readonly models: readonly UpstreamModel[]; readonly epochMs: number }

/**
 * Asks every upstream that can be asked for its models and their prices, now and once a day, until it is disposed. An
 * upstream that does not answer keeps the prices it had, and the log says so. `known` holds until there are answers.
 */
export function refreshPrices(
  upstreams: Iterable<Upstream>,
  book: PriceBook,
  clock: Clock,
  log: Logger,
  known: PriceLists = new Map(),
): PriceRefresh {
  const stopped = new AbortController()
  const asked = [...upstreams]
  const lists = new Map(known)
  for (const [name, { models, epochMs }] of lists) book.refresh(name, models, epochMs)
  const take = ({ name }: Upstream, models: readonly UpstreamModel[]) => {
    const list = { models, epochMs: clock.epochMs() }
    lists.set(name, list)
    book.refresh(name, models, list.epochMs)
  }
  const refresh = () => {
    for (const upstream of asked) void refreshOne(upstream, take, log, stopped.signal)
  }
  refresh()
  const timer = setInterval(refresh, dayMs)
  timer.unref()
  return {
    listsOf: (names) => new Map(lists.entries().filter(([name]) => names.has(name))),
    [Symbol.dispose]() {
      clearInterval(timer)
      stopped.abort()
    },
  }
}

const dayMs = 86_400_000
const answerWithinMs = 30_000

async function refreshOne(
  upstream: Upstream,
  take: (upstream: Upstream, models: readonly UpstreamModel[]) => void,
  log: Logger,
  stopped: AbortSignal,
): Promise<void> {
  if (upstream.listModels === undefined) return
  try {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(answerWithinMs)])
    const models = await upstream.listModels(signal)
    take(upstream, models)
    log.info({ provider: upstream.name, models: models.length }, 'prices refreshed')
  } catch {
    if (!stopped.aborted) {
      log.warn(
        { provider: upstream.name },
        'the provider did not list its models: its prices stay as they were',
      )
    }
  }
}
