import { Badge, type Tone } from '../../parts/badge.tsx'
import type { DeploymentRow } from './wire.ts'

/** The state of a deployment, in a word or two. */
export function State({ of: row }: { of: DeploymentRow }) {
  const [tone, word] = stateOf(row)
  return <Badge tone={tone}>{word}</Badge>
}

function stateOf(row: DeploymentRow): readonly [Tone, string] {
  const { drained, presence, breaker, limited_until_epoch_ms: limitedUntil, probe } = row
  if (drained !== null) return ['warn', 'drained']
  if (presence !== null && presence.state !== 'listed') return ['bad', presence.state]
  if (breaker === 'open') return ['bad', 'not used: failing']
  if (breaker === 'half-open') return ['warn', 'on trial']
  if (limitedUntil !== null && limitedUntil > Date.now()) return ['warn', 'rate limited']
  if (probe?.outcome === 'asleep') return ['plain', 'asleep']
  if (probe !== null && probe.outcome !== 'ready') return ['warn', `probe: ${probe.failure ?? probe.outcome}`]
  const { failures_in_a_row: failures } = row
  if (failures > 0) return ['warn', failures === 1 ? 'last call failed' : `last ${failures} calls failed`]
  return row.attempts === 0 && probe === null ? ['plain', 'not tried yet'] : ['good', 'well']
}
