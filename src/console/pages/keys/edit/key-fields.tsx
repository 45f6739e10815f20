import type { TeamView } from '../wire.ts'
import { ChoiceField, TextField } from './field.tsx'
import type { Filled } from './form.tsx'

export function NameField({ filled, placeholder }: { filled: Filled; placeholder?: string }) {
  return (
    <TextField
      label="Name"
      name="name"
      filled={filled}
      required
      maxLength={128}
      {...(placeholder === undefined ? {} : { placeholder })}
    />
  )
}

export function ExpiryField({ filled }: { filled: Filled }) {
  return <TextField label="Expires, in your time" name="expires_at" type="datetime-local" filled={filled} />
}

/** Whose a key for calls is. */
export function OwnerFields({ filled, teams }: { filled: Filled; teams: readonly TeamView[] }) {
  return (
    <>
      <div class="pair">
        <ChoiceField
          label="Team"
          name="team"
          filled={filled}
          choices={{ '': 'none', ...Object.fromEntries(teams.map(({ id }) => [id, id])) }}
        />
        <TextField label="Owner" name="owner" placeholder="nobody" maxLength={128} filled={filled} />
      </div>
      <TextField
        label="Tags, with commas between"
        name="tags"
        placeholder="none"
        hint="Reports can be split by them."
        filled={filled}
      />
    </>
  )
}

/** How the calls of a key are routed. */
export function StrategyField({ filled }: { filled: Filled }) {
  return <ChoiceField label="Strategy" name="strategy" filled={filled} choices={strategies} />
}

const strategies = {
  '': 'as each route has it',
  fallback: 'fallback: in the order of the file',
  first: 'first: the first one alone',
  weighted: 'weighted: random, by weight',
  cheapest: 'cheapest',
  fastest: 'fastest',
  balanced: 'balanced: random, the cheap ones more often',
  value: 'value: price and speed',
}
