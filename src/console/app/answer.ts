import { useCallback, useEffect, useState } from 'preact/hooks'
import { ask, Refusal, returns } from './api.ts'

/** The answer to a request that a page repeats. */
export type Answer<Data> = {
  /** The last answer, kept while the next is on its way or has failed. */
  readonly data: Data | undefined
  readonly refusal: Refusal | undefined
  readonly isAsking: boolean
  again(): void
}

/** Requests whenever the path changes, and at intervals. Undefined: requests nothing. */
export function useAnswer<Data>(path: string | undefined, everyMs?: number): Answer<Data> {
  const [known, setKnown] = useState<{ data?: Data; refusal?: Refusal; of?: string | undefined }>({})
  const [turn, setTurn] = useState(0)
  const again = useCallback(() => setTurn((before) => before + 1), [])
  const returned = returns.value
  useEffect(() => {
    if (path === undefined) return undefined
    const leaving = new AbortController()
    ask<Data>(path, { signal: leaving.signal }).then(
      (data) => setKnown({ data, of: path }),
      (thrown: unknown) => {
        if (leaving.signal.aborted) return
        if (!(thrown instanceof Refusal)) throw thrown
        setKnown(({ data }) => ({ ...(data === undefined ? {} : { data }), refusal: thrown, of: path }))
      },
    )
    return () => leaving.abort()
  }, [path, turn, returned])
  useEffect(() => {
    if (everyMs === undefined) return undefined
    const timer = setInterval(() => {
      if (!document.hidden) again()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs, again])
  const isAsking = path !== undefined && known.of !== path
  return { data: known.data, refusal: isAsking ? undefined : known.refusal, isAsking, again }
}
