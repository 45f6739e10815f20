import { useCallback, useEffect, useState } from 'preact/hooks'
import { ask, Refusal, returns } from './api.ts'

/** What the gateway says to a question that a page keeps asking. */
export type Answer<Data> = {
  /** The last one, also while the next is on its way, or could not be had. */
  readonly data: Data | undefined
  readonly refusal: Refusal | undefined
  readonly isAsking: boolean
  again(): void
}

/** Asks whenever the path changes, and every so often; undefined: nothing. */
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
