import { BudgetFields } from './budget-fields.tsx'
import { ChoiceField, TextField } from './field.tsx'
import type { Filled } from './form.tsx'

/** What may be called, how much of it, and for how much money: of a key, or of a team together. */
export function MoneyFields({ filled }: { filled: Filled }) {
  const rate = { type: 'number', min: '1', step: '1', placeholder: 'no limit', filled } as const
  return (
    <>
      <div class="pair">
        <TextField
          label="Limit in USD"
          name="limit"
          type="number"
          min="0"
          step="any"
          placeholder="none"
          filled={filled}
        />
        <ChoiceField
          label="The limit is"
          name="limit_reset"
          filled={filled}
          choices={{
            monthly: 'for each month',
            weekly: 'for each week',
            daily: 'for each day',
            '': 'in all',
          }}
        />
      </div>
      <BudgetFields filled={filled} />
      <div class="three">
        <TextField label="Requests a minute" name="rpm" {...rate} />
        <TextField label="Tokens a minute" name="tpm" {...rate} />
        <TextField label="Calls at once" name="concurrency" {...rate} />
      </div>
      <div class="pair">
        <TextField
          label="Models"
          name="models"
          placeholder="all"
          hint="With commas between; * stands for anything."
          filled={filled}
        />
        <TextField
          label="Providers"
          name="providers"
          placeholder="all"
          hint="With commas between."
          filled={filled}
        />
      </div>
    </>
  )
}
