import { useEffect, useState } from 'preact/hooks'
import type { CallRow } from './call-types.ts'

export type Live = {
  /** Newest first. */
  readonly rows: readonly CallRow[]
  /** Calls that were counted but not shown. */
  readonly more: number
  readonly isOpen: boolean
}

/** Calls as they end. Undefined: none. The browser reconnects by itself. */
export function useLiveCalls(path: string | undefined): Live {
  const [live, setLive] = useState(nothing)
  useEffect(() => {
    setLive(nothing)
    if (path === undefined) return undefined
    const source = new EventSource(path)
    source.addEventListener('open', () => setLive((before) => ({ ...before, isOpen: true })))
    source.addEventListener('error', () => setLive((before) => ({ ...before, isOpen: false })))
    source.addEventListener('message', ({ data }) => {
      const news = JSON.parse(String(data)) as { calls: readonly CallRow[]; more: number }
      setLive(({ rows, more }) => ({
        rows: [...news.calls.toReversed(), ...rows].slice(0, mostRows),
        more: more + news.more,
        isOpen: true,
      }))
    })
    return () => source.close()
  }, [path])
  return live
}

const nothing: Live = { rows: [], more: 0, isOpen: false }
const mostRows = 200
