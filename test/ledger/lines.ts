import type { CallEntry } from '../../src/core/model/journal.ts'
import { encodeLine } from '../../src/core/model/record/line-writer.ts'

/** The members of a call that a test sets; the others are defaults. */
export type CallSaid = {
  readonly at?: number
  readonly key?: string
  readonly team?: string
  readonly model?: string
  readonly deployment?: string
  readonly provider?: string
  readonly status?: number
  readonly outcome?: string
  readonly failure?: { readonly kind: string }
  readonly costNanoUsd?: number | null
  readonly totalMs?: number
  readonly firstTokenMs?: number
  readonly uncertainNanoUsd?: number
  readonly tags?: readonly string[]
  readonly user?: string
}

/** The journal's line of a call. */
export function callEntry(id: string, said: CallSaid = {}): CallEntry {
  const { at = 0, uncertainNanoUsd = 0, ...rest } = said
  const members = {
    ...{ requestId: id, dialect: 'chat', model: 'm', stream: false, deployment: 'm@up', provider: 'up' },
    ...{ status: 200, outcome: 'ok', parseMs: 0, totalMs: 120, overheadMs: 1, slow: false },
    ...{ requestBytes: 10, responseBytes: 20, promptTokens: 7, completionTokens: 3, costNanoUsd: 1000 },
    attempts: [{ deployment: 'm@up', outcome: 'ok', startMs: 0, totalMs: 100 }, ...doubts(uncertainNanoUsd)],
    ...rest,
  }
  return { type: 'call', id, at, line: encodeLine(JSON.stringify(members).slice(1, -1)) }
}

function doubts(costNanoUsd: number) {
  if (costNanoUsd === 0) return []
  return [{ deployment: 'm@up', outcome: 'timeout', startMs: 0, totalMs: 1, uncertain: true, costNanoUsd }]
}
