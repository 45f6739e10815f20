import { urlOf } from '../../app/router.ts'
import { Badge } from '../../parts/badge.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Panel } from '../../parts/panel.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { countOf, exactUsdOf } from '../../text/amounts.ts'
import { BudgetBar } from '../keys/budget-bar.tsx'
import { PriceTag } from '../models/price.tsx'
import type { CandidateRow, Explanation, HeldBudget, Hold } from './wire.ts'

/** The plan, and what it is based on. */
export function Explained({ of: told }: { of: Explanation }) {
  return (
    <>
      <Panel title="The plan">
        {told.plan.length === 0 ? (
          <p class="notice bad">No deployment can take it.</p>
        ) : (
          <ol class="plan">
            {told.plan.map((deployment, at) => (
              <li key={at}>
                <b>{deployment}</b>
                <span class="muted small">
                  {at === 0 ? ' first' : told.plan.indexOf(deployment) < at ? ' again' : ''}
                </span>
              </li>
            ))}
          </ol>
        )}
        <Facts
          of={[
            ['Route', <code key="route">{told.pattern}</code>],
            ['Strategy', told.strategy],
            ['Read as', told.dialect],
            ['Prompt', `about ${countOf(told.prompt_tokens_estimated)} tokens`],
            ['Answer', `about ${countOf(told.expected_completion_tokens)} tokens`],
          ]}
        />
      </Panel>
      {told.hold && <HoldPanel of={told.hold} />}
      <Panel title="Who was considered">
        <Table
          caption="Deployments that were considered"
          columns={columns}
          rows={told.candidates}
          keyOf={({ deployment }) => deployment}
          classOf={({ removed_by: removed }) => (removed === null ? undefined : 'out')}
        />
      </Panel>
    </>
  )
}

const outcomes = {
  whole: 'All of it fits.',
  sliced: 'It would be held in parts, as the answer grows.',
  clamped: 'The rest of the budget bounds the answer.',
  refused: 'It would be refused.',
} as const

function HoldPanel({ of: hold }: { of: Hold }) {
  const { outcome, amount_usd: usd, completion_tokens: tokens, refused_with: refusal } = hold
  return (
    <Panel title="What it would hold">
      <p class={outcome === 'refused' ? 'notice bad' : undefined}>
        {usd !== null && <b>{exactUsdOf(usd)}</b>} {outcomes[outcome]}
        {tokens !== null && ` It is bounded to ${countOf(tokens)} tokens of answer.`} {refusal?.message}
      </p>
      <Table
        caption="Budgets that it is held on"
        columns={budgetColumns}
        rows={hold.budgets}
        keyOf={({ id }) => id}
      />
    </Panel>
  )
}

const budgetColumns: readonly Column<HeldBudget>[] = [
  {
    name: 'Budget',
    show: ({ id, title }) => <a href={urlOf('/console/keys', { budget: id })}>{title}</a>,
  },
  { name: 'Used', show: (budget) => <BudgetBar {...amountsOf(budget)} /> },
  {
    name: 'Room',
    show: ({ blocks }) => <Badge tone={blocks ? 'bad' : 'good'}>{blocks ? 'none' : 'enough'}</Badge>,
  },
]

function amountsOf(budget: HeldBudget) {
  const [limit, spent, held, uncertain] = [
    ...[budget.limit_nano_usd, budget.spent_nano_usd, budget.held_nano_usd, budget.uncertain_nano_usd],
  ].map((nano) => nano / 1e9) as [number, number, number, number]
  return { limit, spent, held, uncertain, remaining: Math.max(0, limit - spent - held - uncertain) }
}

const columns: readonly Column<CandidateRow>[] = [
  { name: 'Deployment', show: ({ deployment }) => <b>{deployment}</b> },
  {
    name: 'May run there',
    show: ({ removed_by: removed, breaker, share }) =>
      removed === null ? (
        <>
          <Badge tone="good">yes</Badge>
          {breaker !== 'closed' && <span class="muted small line">breaker {breaker}</span>}
          {share < 1 && <span class="muted small line">gets {Math.round(share * 100)} % of its share</span>}
        </>
      ) : (
        <>
          <Badge tone="bad">no: {removed.filter}</Badge>
          <span class="muted small line">it {removed.reason}</span>
        </>
      ),
  },
  {
    name: 'Expected cost',
    isNumber: true,
    show: ({ expected_cost_usd: usd }) =>
      usd === null ? <span class="muted">not known</span> : exactUsdOf(usd),
  },
  {
    name: 'Score',
    isNumber: true,
    isMinor: true,
    show: ({ score }) => (score === null ? <span class="muted">–</span> : score.toPrecision(4)),
  },
  { name: 'Price', isMinor: true, show: ({ price }) => <PriceTag of={price} /> },
]
