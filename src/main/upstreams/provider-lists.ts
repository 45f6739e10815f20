import type { Logger } from 'pino'
import type { KeptLists, ListedAt, ProviderList } from '../../catalog/kept-lists.ts'
import type { PriceBook } from '../../catalog/price-book.ts'
import { asFailure, Failure } from '../../core/model/failure.ts'
import type { Clock, Random, Upstream } from '../../core/model/ports.ts'
import { withTimeout } from './with-timeout.ts'

/** The providers' lists of models and prices, read at intervals until it is disposed. */
export interface ProviderLists extends Disposable {
  /** The last lists of the providers with these names. */
  of(names: ReadonlySet<string>): KnownLists
  report(): readonly ListReport[]
}

/** By the provider's name. */
export type KnownLists = ReadonlyMap<string, ProviderList>

/** The state of one provider's list, for operators. */
export type ListReport = {
  readonly provider: string
  /** When it was read. Undefined: never, so the catalogue is used. */
  readonly readEpochMs: number | undefined
  readonly models: number
  /** Failures in a row since then. */
  readonly failures: number
  /** How often it was asked in this process. */
  readonly asked: number
}

export type ProviderListsParts = {
  readonly upstreams: Iterable<Upstream>
  readonly book: PriceBook
  /** Undefined: nothing outlasts the process. */
  readonly kept: KeptLists | undefined
  /** The address that an upstream is asked at, which identifies its stored list. */
  readonly addressOf: (name: string) => string
  /** Lists that were read under the previous configuration. */
  readonly known?: KnownLists | undefined
  /** Routed deployments whose models a provider does not list, by the provider's name. */
  readonly unlisted?: ((name: string) => readonly string[]) | undefined
  /** Receives every new list. */
  readonly heard?: ((name: string, list: ProviderList) => void) | undefined
  readonly everyMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/**
 * Queries the list of every upstream that has one and that does not need a caller's key, now and at intervals. After
 * failures, the wait increases. The last list stays in use until then, also after a restart, and the log says so once.
 */
export function readProviderLists(parts: ProviderListsParts): ProviderLists {
  const readers = [...parts.upstreams].filter(isListing).map((upstream) => startReader(upstream, parts))
  return {
    of: (names) =>
      new Map(
        readers.flatMap(({ name, list }) => {
          const known = list()
          return names.has(name) && known !== undefined ? [[name, known] as const] : []
        }),
      ),
    report: () => readers.map(({ report }) => report()),
    [Symbol.dispose]() {
      for (const { stop } of readers) stop()
    },
  }
}

/** True if the upstream's list can be requested without a caller's key. */
export function isListing(upstream: Upstream): boolean {
  const hasLists = upstream.listModels !== undefined || upstream.listHardware !== undefined
  return hasLists && upstream.admits(undefined)
}

/** Asks once for the whole list of an upstream. Rejects with a Failure, also for an empty list, which says nothing. */
export async function readList(upstream: Upstream, clock: Clock, signal: AbortSignal): Promise<ProviderList> {
  const ask = (bounded: AbortSignal) =>
    Promise.all([upstream.listModels?.(bounded), upstream.listHardware?.(bounded)])
  const [models, hardware] = await withTimeout(upstream, ask, { signal, timeoutMs: answerWithinMs })
  if (models?.length === 0) throw new Failure('invalid_response', 'The upstream lists no models.')
  return { epochMs: clock.epochMs(), ...(models && { models }), ...(hardware && { hardware }) }
}

/** Puts a list into the price book. */
export function takeList(book: PriceBook, name: string, { models, hardware, epochMs }: ProviderList): void {
  if (models !== undefined) book.refresh(name, models, epochMs)
  if (hardware !== undefined) book.refreshHardware(name, hardware, epochMs)
}

const answerWithinMs = 30_000

/** The wait before the next request, after this many failures in a row. The last value repeats. */
const waitsMs = [1000, 5000, 30_000, 120_000, 300_000, 900_000, 1_800_000]

/** The random part of a wait, so that gateways that started together do not query together. */
const jitter = 0.1

type Reader = {
  readonly name: string
  readonly list: () => ProviderList | undefined
  readonly report: () => ListReport
  readonly stop: () => void
}

function startReader(upstream: Upstream, parts: ProviderListsParts): Reader {
  const { book, kept, addressOf, known, everyMs, clock, random, log } = parts
  const { name } = upstream
  const at: ListedAt = { name, address: addressOf(name) }
  const stopped = new AbortController()
  const before = known?.get(name)
  let list = before ?? kept?.read(at)
  let failures = 0
  let asked = 0
  let missing = ''
  let timer: NodeJS.Timeout | undefined
  const take = (taken: ProviderList) => {
    takeList(book, name, taken)
    parts.heard?.(name, taken)
  }
  if (list !== undefined) take(list)
  const after = (waitMs: number) => {
    timer = setTimeout(() => void ask(), waitMs * (1 + (random() * 2 - 1) * jitter))
    timer.unref()
  }
  const ask = async () => {
    asked++
    try {
      const answer = await readList(upstream, clock, stopped.signal)
      if (stopped.signal.aborted) return
      take(answer)
      log.info({ provider: name, ...changeBetween(list, answer) }, 'the provider listed its models')
      list = answer
      failures = 0
      missing = tellMissing(name, parts, missing)
      after(everyMs)
      await keep(kept, at, answer, log)
    } catch (thrown) {
      if (stopped.signal.aborted) return
      const { kind, upstreamStatus, operatorNote } = asFailure(thrown)
      const since = list === undefined ? undefined : new Date(list.epochMs).toISOString()
      const details = { provider: name, failure: kind, upstreamStatus, operatorNote, listOf: since }
      if (failures === 0)
        log.warn(details, 'the provider did not list its models; the last list stays in use')
      after(waitsMs[failures] ?? Math.min(everyMs, waitsMs.at(-1) ?? everyMs))
      failures++
    }
  }
  // After a reload, a very recent list is not requested again.
  const ageMs = before === undefined ? Number.POSITIVE_INFINITY : clock.epochMs() - before.epochMs
  if (ageMs < everyMs) after(everyMs - ageMs)
  else void ask()
  return {
    name,
    list: () => list,
    report: () => ({
      ...{ provider: name, readEpochMs: list?.epochMs, models: list?.models?.length ?? 0, failures, asked },
    }),
    stop() {
      clearTimeout(timer)
      stopped.abort()
    },
  }
}

/** A route names a model that its provider does not list: a fine-tune, or a mistake. Logged once for the same set. */
function tellMissing(provider: string, { unlisted, log }: ProviderListsParts, before: string): string {
  const deployments = unlisted?.(provider) ?? []
  const now = deployments.join(' ')
  if (now !== '' && now !== before) {
    log.warn({ provider, deployments }, 'routes name models that the provider does not list')
  }
  return now
}

async function keep(
  kept: KeptLists | undefined,
  at: ListedAt,
  list: ProviderList,
  log: Logger,
): Promise<void> {
  try {
    await kept?.write(at, list)
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    log.warn(
      { provider: at.name, code },
      'the list of models could not be saved; a restart begins without it',
    )
  }
}

/** The models that are new in a list, gone, or have another price. */
function changeBetween(before: ProviderList | undefined, after: ProviderList): Record<string, number> {
  const then = new Map(before?.models?.map(({ id, price }) => [id, JSON.stringify(price)]))
  const now = new Map(after.models?.map(({ id, price }) => [id, JSON.stringify(price)]))
  const counts: Record<string, number> = { models: now.size }
  if (after.hardware !== undefined) counts['gpus'] = after.hardware.length
  if (before?.models === undefined) return counts
  const shared = [...now].filter(([id]) => then.has(id))
  counts['appeared'] = now.size - shared.length
  counts['vanished'] = then.size - shared.length
  counts['repriced'] = shared.filter(([id, price]) => then.get(id) !== price).length
  return counts
}
