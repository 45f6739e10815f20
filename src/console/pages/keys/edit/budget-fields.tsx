import { windowWords } from '../window-words.ts'
import { Field } from './field.tsx'
import type { Filled, Problems } from './form.tsx'
import { type BudgetValues, noBudget } from './values.ts'

/** Budgets beside the one limit: of other periods, for some models, or for each end user. */
export function BudgetFields({ filled: { values, set, problems } }: { filled: Filled }) {
  const { budgets } = values
  const change = (at: number, changes: Partial<BudgetValues>) =>
    set({ budgets: budgets.map((one, index) => (index === at ? { ...one, ...changes } : one)) })
  return (
    <fieldset class="budgets" aria-invalid={problems['budgets'] !== undefined} tabIndex={-1}>
      <legend>More budgets</legend>
      {budgets.map((budget, at) => (
        <Budget
          key={at}
          of={budget}
          at={at}
          problems={problems}
          onChange={(changes) => change(at, changes)}
          onRemove={() => set({ budgets: budgets.filter((_, index) => index !== at) })}
        />
      ))}
      {problems['budgets'] !== undefined && (
        <p class="bad-text" role="alert">
          {problems['budgets']}
        </p>
      )}
      <button type="button" class="plain" onClick={() => set({ budgets: [...budgets, noBudget] })}>
        Add a budget
      </button>
    </fieldset>
  )
}

type BudgetProps = {
  readonly of: BudgetValues
  readonly at: number
  readonly problems: Problems
  readonly onChange: (changes: Partial<BudgetValues>) => void
  readonly onRemove: () => void
}

function Budget({ of: budget, at, problems, onChange, onRemove }: BudgetProps) {
  const problemOf = (name: keyof BudgetValues) => problems[`budgets.${at}.${name}`]
  return (
    <fieldset class="budget">
      <legend class="hidden">Budget {at + 1}</legend>
      <div class="three">
        <Field label="USD" problem={problemOf('limit')}>
          {(marks) => (
            <input
              {...marks}
              type="number"
              min="0"
              step="any"
              required
              value={budget.limit}
              onInput={({ currentTarget: { value } }) => onChange({ limit: value })}
            />
          )}
        </Field>
        <Field label="Period" problem={problemOf('window')}>
          {(marks) => (
            <select
              {...marks}
              value={budget.window}
              onChange={({ currentTarget: { value } }) => onChange({ window: value })}
            >
              {Object.entries(windowWords).map(([window, words]) => (
                <option key={window} value={window}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Text label="Models" name="models" placeholder="all" {...{ budget, problemOf, onChange }} />
      </div>
      <details open={inDetails.some((name) => problemOf(name) !== undefined)}>
        <summary>
          More<span class="hidden"> of budget {at + 1}</span>
        </summary>
        <Rest {...{ budget, problemOf, onChange }} />
      </details>
      <button type="button" class="plain" onClick={onRemove}>
        Remove<span class="hidden"> budget {at + 1}</span>
      </button>
    </fieldset>
  )
}

/** The fields that are folded away, as long as nothing is wrong with them. */
const inDetails = ['providers', 'name', 'zone', 'week_start', 'per_user'] as const

type PartProps = {
  readonly budget: BudgetValues
  readonly problemOf: (name: keyof BudgetValues) => string | undefined
  readonly onChange: (changes: Partial<BudgetValues>) => void
}

function Rest({ budget, problemOf, onChange }: PartProps) {
  const common = { budget, problemOf, onChange }
  return (
    <>
      <div class="pair">
        <Text label="Providers" name="providers" placeholder="all" {...common} />
        <Text label="Name" name="name" placeholder="by its period and models" {...common} />
      </div>
      <div class="pair">
        <Text label="Days are those of" name="zone" placeholder="UTC" {...common} />
        <Field label="Weeks begin on" problem={problemOf('week_start')}>
          {(marks) => (
            <select
              {...marks}
              value={budget.week_start}
              onChange={({ currentTarget: { value } }) => onChange({ week_start: value })}
            >
              {days.map((day, index) => (
                <option key={day} value={String(index + 1)}>
                  {day}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={budget.per_user}
          onChange={({ currentTarget: { checked } }) => onChange({ per_user: checked })}
        />
        Each end user has one of their own
      </label>
    </>
  )
}

type TextProps = PartProps & {
  readonly label: string
  readonly name: 'models' | 'providers' | 'name' | 'zone'
  readonly placeholder: string
}

function Text({ label, name, placeholder, budget, problemOf, onChange }: TextProps) {
  return (
    <Field label={label} problem={problemOf(name)}>
      {(marks) => (
        <input
          {...marks}
          autocomplete="off"
          placeholder={placeholder}
          value={budget[name]}
          onInput={({ currentTarget: { value } }) => onChange({ [name]: value })}
        />
      )}
    </Field>
  )
}

const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
