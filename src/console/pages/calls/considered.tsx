import { Badge } from '../../parts/badge.tsx'
import { Table } from '../../parts/table.tsx'
import { usdOf } from '../../text/amounts.ts'
import type { WholeCall } from './call-types.ts'
import { limitTextOf } from './limit-text.ts'

/** The deployments that were considered for the call, and why one was chosen. */
export function Considered({ call }: { call: WholeCall }) {
  const { plan, left_out: leftOut, expected_cost: expected, strategy, route, limit } = call
  const planned = (plan ?? []).map((deployment, at) => ({
    deployment,
    why: at === 0 ? 'tried first' : `behind ${at} ${at === 1 ? 'other' : 'others'}`,
    isIn: true,
  }))
  const others = (leftOut ?? []).map(({ deployment, why }) => ({
    deployment,
    why: reasons[why] ?? why,
    isIn: false,
  }))
  const costs = new Map((expected ?? []).map((one) => [one.deployment, one.nano_usd]))
  return (
    <>
      <p class="muted">
        {route === null ? (
          'It has no plan.'
        ) : (
          <>
            The route <code>{route}</code> took it, and put its deployments in order by{' '}
            <strong>{strategy ?? 'what is written'}</strong>.
          </>
        )}{' '}
        {call.successor !== null && `The model is gone: ${call.successor} answered in its place. `}
        {limit !== null && `It met, or was sent within, ${limitTextOf(call)}.`}
      </p>
      <Table
        caption="Deployments that were considered"
        rows={[...planned, ...others]}
        keyOf={({ deployment, why }) => `${deployment} ${why}`}
        none={null}
        columns={[
          { name: 'Deployment', show: ({ deployment }) => deployment },
          {
            name: 'Chosen',
            show: ({ isIn, why }) => (
              <Badge tone={isIn ? (why === 'tried first' ? 'good' : 'plain') : 'warn'}>
                {isIn ? why : `left out: ${why}`}
              </Badge>
            ),
          },
          {
            name: 'Expected cost',
            isNumber: true,
            show: ({ deployment }) => {
              const nano = costs.get(deployment)
              return nano === undefined || nano === null ? '–' : usdOf(nano / 1e9)
            },
          },
        ]}
      />
    </>
  )
}

/** The filters of plans, in words. */
const reasons: Readonly<Record<string, string>> = {
  breaker: 'its breaker is open',
  context: 'the prompt is too long for it',
  tools: 'it calls no tools',
  drained: 'it is drained',
}
