/** The operations of an endpoint that are limited each by itself. */
export const operations = ['run', 'runsync', 'status', 'stream', 'cancel', 'openai'] as const

export type Operation = (typeof operations)[number]

export type Limits = { readonly [operation in Operation]?: number }

/** Counts requests in windows of ten seconds; true for one that is too many. */
export function createLimiter(limits: Limits, now: () => number): (operation: Operation) => boolean {
  const most = { ...usual, ...limits }
  const seen = new Map<Operation, readonly number[]>()
  return (operation) => {
    const recent = (seen.get(operation) ?? []).filter((at) => now() - at < windowMs)
    const isTooMany = recent.length >= most[operation]
    seen.set(operation, isTooMany ? recent : [...recent, now()])
    return isTooMany
  }
}

const windowMs = 10_000

/** With few workers; more of them allow for more. */
const usual = { run: 1000, runsync: 2000, status: 2000, stream: 2000, cancel: 100, openai: 2000 } as const
