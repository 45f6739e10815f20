import { useEffect, useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, Refusal } from '../../app/api.ts'
import { mayChange } from '../../app/session.ts'
import { Dialog, DialogButtons } from '../../parts/dialog.tsx'
import { adminCurl, Empty } from '../../parts/empty.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { usdOf, wholeOf } from '../../text/amounts.ts'
import { agoOf, minuteOf } from '../../text/times.ts'
import { BudgetBar } from './budget-bar.tsx'
import { Origin, placeOfBudget } from './origin.tsx'
import { windowWords } from './window-words.ts'
import type { BudgetView, DeclaredSettings, Holder, Listed } from './wire.ts'

type BudgetsProps = {
  readonly budgets: readonly BudgetView[]
  /** Undefined: where they are declared is not shown. */
  readonly declared?: DeclaredSettings | undefined
  /** The one that a refused call names. */
  readonly wanted?: string | null
  readonly onChange: () => void
}

/** Budgets with what is spent, held and uncertain, who holds, and when each opens again. */
export function Budgets({ budgets, declared, wanted = null, onChange }: BudgetsProps) {
  const [holders, setHolders] = useState<BudgetView | undefined>()
  const [raised, setRaised] = useState<BudgetView | undefined>()
  const isWanted = ({ id, limit_name: name }: BudgetView) =>
    wanted !== null && (id === wanted || name === wanted)
  useEffect(() => {
    if (wanted !== null) document.querySelector('tr.wanted')?.scrollIntoView({ block: 'center' })
  }, [wanted])
  const shown = budgets
    .toSorted((one, other) => usedPart(other) - usedPart(one))
    .filter((budget, at) => at < budgetsAtOnce || isWanted(budget))
  const columns: readonly Column<BudgetView>[] = [
    { name: 'Budget', show: (budget) => <Named of={budget} /> },
    { name: 'Used', show: (budget) => <BudgetBar {...budget} /> },
    { name: 'Left', isNumber: true, isMinor: true, show: ({ remaining }) => usdOf(remaining) },
    ...(declared === undefined
      ? []
      : [
          {
            name: 'Declared',
            isMinor: true,
            show: (budget: BudgetView) => {
              const place = placeOfBudget(budget, budgets, declared)
              return place === undefined ? <span class="muted">here</span> : <Origin of={place} />
            },
          },
        ]),
    { name: 'Opens again', isMinor: true, show: ({ resets_at: at, zone }) => <Opens at={at} zone={zone} /> },
    {
      name: 'Actions',
      isNumber: true,
      show: (budget) => (
        <span class="actions">
          <button type="button" class="plain" onClick={() => setHolders(budget)}>
            Who holds<span class="hidden"> on {budget.title}</span>
          </button>
          {mayChange.value && (
            <button type="button" class="plain" onClick={() => setRaised(budget)}>
              Raise<span class="hidden"> {budget.title}</span>
            </button>
          )}
        </span>
      ),
    },
  ]
  return (
    <>
      {wanted !== null && !budgets.some(isWanted) && (
        <p class="notice warn">
          {wanted.startsWith('budget/') ? (
            <>
              There is no budget <code>{wanted}</code> any more.
            </>
          ) : (
            <>
              <code>{wanted}</code> is no budget: it is a limit of rate, of the gateway, a team or a key.
            </>
          )}
        </p>
      )}
      <Table
        caption="Budgets"
        columns={columns}
        rows={shown}
        keyOf={({ id }) => id}
        classOf={(budget) => (isWanted(budget) ? 'wanted' : undefined)}
        none={
          <Empty
            command={adminCurl('/admin/api/keys', { name: 'web app', limit: 20, limit_reset: 'monthly' })}
          >
            There are no budgets yet. A key or a team gets one with a limit; <code>budgets.gateway</code> in
            the configuration is for all calls together.
          </Empty>
        }
      />
      {shown.length < budgets.length && (
        <p class="muted small">
          These are the most used of {wholeOf(budgets.length)}. The others are on the pages of their keys and
          teams.
        </p>
      )}
      {holders !== undefined && <Holders budget={holders} onClose={() => setHolders(undefined)} />}
      {raised !== undefined && (
        <Raise
          budget={raised}
          onClose={() => setRaised(undefined)}
          onDone={() => {
            setRaised(undefined)
            onChange()
          }}
        />
      )}
    </>
  )
}

const budgetsAtOnce = 100

function usedPart({ limit, remaining }: BudgetView): number {
  return limit === 0 ? 1 : 1 - remaining / limit
}

function Named({
  of: { title, scope, scope_id: owner, window, models, providers, per_user: isPerUser },
}: {
  of: BudgetView
}) {
  const on = [...models, ...providers.map((provider) => `@${provider}`), ...(isPerUser ? ['each user'] : [])]
  return (
    <>
      {scope === 'gateway' ? (
        title
      ) : (
        <a href={`/console/${scope}s/${encodeURIComponent(owner ?? '')}`}>{title}</a>
      )}
      <br />
      <span class="muted small">
        of the {scope === 'gateway' ? 'gateway' : scope}, {windowWords[window] ?? window}
        {on.length > 0 && `, on ${on.join(', ')}`}
      </span>
    </>
  )
}

function Opens({ at, zone }: { at: string | null; zone: string }) {
  if (at === null) return <span class="muted">never by itself</span>
  const epochMs = Date.parse(at)
  return (
    <span title={`${minuteOf(epochMs)}; its days are those of ${zone}`}>
      {agoOf(epochMs)}
      <br />
      <span class="muted small">{minuteOf(epochMs)}</span>
    </span>
  )
}

function Holders({ budget, onClose }: { budget: BudgetView; onClose: () => void }) {
  const answer = useAnswer<Listed<Holder>>(
    `/admin/api/budgets/holds?budget=${encodeURIComponent(budget.id)}`,
    3000,
  )
  return (
    <Dialog title={`Who holds money on ${budget.title}`} onClose={onClose}>
      <Loaded answer={answer}>
        {({ data }) => (
          <Table
            caption="Calls that hold money"
            rows={data}
            keyOf={({ call }) => call}
            columns={[
              { name: 'Call', show: ({ call }: Holder) => <code>{call}</code> },
              { name: 'Process', isMinor: true, show: ({ node }: Holder) => <code>{node}</code> },
              { name: 'Held', isNumber: true, show: ({ held }: Holder) => usdOf(held) },
            ]}
            none={<p>No call holds anything on it at this moment.</p>}
          />
        )}
      </Loaded>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function Raise({ budget, onClose, onDone }: { budget: BudgetView; onClose: () => void; onDone: () => void }) {
  const [refused, setRefused] = useState('')
  const raise = (event: SubmitEvent) => {
    event.preventDefault()
    const amount = Number(new FormData(event.currentTarget as HTMLFormElement).get('amount'))
    const body = { budget: budget.id, amount }
    ask('/admin/api/budgets/override', { method: 'POST', body }).then(onDone, (thrown: unknown) => {
      if (!(thrown instanceof Refusal)) throw thrown
      setRefused(thrown.message)
    })
  }
  return (
    <Dialog title={`Raise ${budget.title}`} onClose={onClose}>
      <form onSubmit={raise} class="fields">
        <p>Only the current window is raised. The next one has the configured limit again.</p>
        <label>
          By how many USD
          <input name="amount" type="number" min="0" step="any" required />
        </label>
        <p class="problem" role="alert">
          {refused}
        </p>
        <DialogButtons onCancel={onClose}>Raise it</DialogButtons>
      </form>
    </Dialog>
  )
}
