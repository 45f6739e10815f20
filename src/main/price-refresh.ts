import type { Logger } from 'pino'
import type { PriceBook } from '../catalog/price-book.ts'
import type { Clock, Upstream } from '../core/ports.ts'

/**
 * Asks every upstream that can be asked for its models and their prices, now and once a day, until it is disposed. An
 * upstream that does not answer keeps the prices it had, and the log says so.
 */
export function refreshPrices(
  upstreams: Iterable<Upstream>,
  book: PriceBook,
  clock: Clock,
  log: Logger,
): Disposable {
  const stopped = new AbortController()
  const asked = [...upstreams]
  const refresh = () => {
    for (const upstream of asked) void refreshOne(upstream, book, clock, log, stopped.signal)
  }
  refresh()
  const timer = setInterval(refresh, dayMs)
  timer.unref()
  return {
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
  book: PriceBook,
  clock: Clock,
  log: Logger,
  stopped: AbortSignal,
): Promise<void> {
  if (upstream.listModels === undefined) return
  try {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(answerWithinMs)])
    const models = await upstream.listModels(signal)
    book.refresh(upstream.name, models, clock.epochMs())
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
