import type { CallEntry } from '../../core/model/journal.ts'
import type { CallLine } from '../../core/model/record/call-line.ts'
import { encodeLine } from '../../core/model/record/line-writer.ts'
import type { OpenHold } from '../../core/model/shared/state.ts'
import type { Registry } from '../keys/registry.ts'
import { budgetOf } from './budget.ts'

/**
 * The record of a call whose process ended before it, so that what it may have cost is in reports, too, and can be
 * settled. All that is known is what it held, and on which budgets.
 */
export function lostCall(
  { id, parts }: Pick<OpenHold, 'id' | 'parts'>,
  at: number,
  registry: Pick<Registry, 'keys' | 'teams'>,
): CallEntry {
  const heldNanoUsd = Math.max(0, ...parts.map(({ nanoUsd }) => nanoUsd))
  const line = {
    ...{ requestId: id, ...payerOf(parts, registry), status: 500, outcome: 'failed' },
    failure: {
      kind: 'internal',
      code: 'gateway_stopped',
      message: 'The gateway stopped before the call ended.',
    },
    ...{ parseMs: 0, totalMs: 0, overheadMs: 0, slow: false, requestBytes: 0, responseBytes: 0 },
    ...{ costNanoUsd: 0, uncertainNanoUsd: heldNanoUsd },
    attempts: [{ outcome: 'lost', startMs: 0, totalMs: 0, uncertain: true, costNanoUsd: 0, heldNanoUsd }],
  } satisfies Omit<Partial<CallLine>, 'attempts' | 'failure'> & { attempts: object; failure: object }
  return { type: 'call', id, at, line: encodeLine(JSON.stringify(line).slice(1, -1)) }
}

/** Whose budgets these are. */
function payerOf(
  parts: OpenHold['parts'],
  registry: Pick<Registry, 'keys' | 'teams'>,
): Pick<CallLine, 'key' | 'keyName' | 'team'> {
  const isOn = (scope: Parameters<typeof budgetOf>[0], budgets: readonly Parameters<typeof budgetOf>[1][]) =>
    budgets.some((rule) => {
      const { id } = budgetOf(scope, rule)
      return parts.some(({ counter }) => counter.startsWith(`${id}|`) || counter.startsWith(`${id}~`))
    })
  const key = registry.keys().find(({ id, name, budgets }) => isOn({ kind: 'key', id, name }, budgets))
  if (key !== undefined) {
    const { id, name, team } = key
    return { key: id, keyName: name, ...(team === undefined ? {} : { team }) }
  }
  const team = registry.teams().find(({ id, budgets }) => isOn({ kind: 'team', id }, budgets))
  return team === undefined ? {} : { team: team.id }
}
