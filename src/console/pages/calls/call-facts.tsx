import { urlOf } from '../../app/router.ts'
import { Facts } from '../../parts/facts.tsx'
import { Panel } from '../../parts/panel.tsx'
import { durationOf, usdOf, wholeOf } from '../../text/amounts.ts'
import { momentOf } from '../../text/times.ts'
import type { WholeCall } from './call-types.ts'

/** Money, tokens, durations and the caller. */
export function CallFacts({ call }: { call: WholeCall }) {
  return (
    <>
      <Panel title="Money">
        <Facts of={moneyOf(call)} />
      </Panel>
      <Panel title="Tokens and time">
        <Facts of={workOf(call)} />
      </Panel>
      <Panel title="Who asked, and how">
        <Facts of={askedOf(call)} />
      </Panel>
    </>
  )
}

type FactList = Parameters<typeof Facts>[0]['of']

function moneyOf(call: WholeCall): FactList {
  const { settled, saved_usd: saved, baseline_usd: baseline } = call
  return [
    [
      'Cost',
      call.cost_known
        ? `${usdOf(call.cost)}${call.cost_estimated ? ' (an estimate)' : ''}`
        : 'a price is not known',
    ],
    ['Saved', saved === null ? '–' : usdOf(Number(saved))],
    ['At the baseline', baseline === null ? '–' : `${usdOf(Number(baseline))} at ${call.baseline}`],
    ['Uncertain', call.uncertain > 0 ? usdOf(call.uncertain) : undefined],
    [
      'Settled later',
      settled === null
        ? undefined
        : `${usdOf(settled.cost)} by ${settled.by}, ${momentOf(Date.parse(settled.at))}: ${settled.reason}`,
    ],
  ]
}

function workOf(call: WholeCall): FactList {
  const count = (tokens: number | null) => (tokens === null ? '–' : wholeOf(tokens))
  return [
    ['Tokens in', `${count(call.tokens_prompt)}${call.tokens_estimated ? ' (counted here)' : ''}`],
    ['of them cached', call.native_tokens_cached === null ? undefined : count(call.native_tokens_cached)],
    ['Tokens out', count(call.tokens_completion)],
    [
      'of them reasoning',
      call.native_tokens_reasoning === null ? undefined : count(call.native_tokens_reasoning),
    ],
    ['First token', durationOf(call.latency)],
    ['Whole call', durationOf(call.total_ms)],
    ['The gateway’s own part', durationOf(call.overhead_ms)],
    ['Waits between attempts', call.backoff_ms > 0 ? durationOf(call.backoff_ms) : undefined],
    ['Tokens per second', speedOf(call)],
  ]
}

function speedOf({
  tokens_completion: tokens,
  latency,
  total_ms: total,
  streamed,
}: WholeCall): string | undefined {
  if (!streamed || tokens === null || latency === null || total - latency < 1) return undefined
  return wholeOf((1000 * tokens) / (total - latency))
}

function askedOf(call: WholeCall): FactList {
  const { key_hash: hash, key_name: name, key } = call
  const list = (values: readonly string[] | null) =>
    values === null || values.length === 0 ? undefined : values.join(', ')
  return [
    [
      'Key',
      hash === null ? 'none' : <a href={urlOf('/console/calls', { key: hash })}>{name ?? key ?? hash}</a>,
    ],
    [
      'Team',
      call.team === null ? undefined : <a href={urlOf('/console/calls', { team: call.team })}>{call.team}</a>,
    ],
    ['User', call.user ?? undefined],
    ['Tags', list(call.tags)],
    ['Format', `${call.dialect}${call.streamed ? ', streamed' : ''}`],
    ['Not passed on', list(call.dropped)],
    ['Emulated here', list(call.converted)],
    ['Repaired', list(call.flags)],
  ]
}
