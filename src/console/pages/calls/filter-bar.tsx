import { useState } from 'preact/hooks'
import { ask } from '../../app/router.ts'
import { type Filter, filters } from './filters.ts'

/** What is searched for: each filter that is set as a chip, and a form for all of them. */
export function FilterBar({ chosen }: { chosen: Readonly<Record<string, string>> }) {
  const [isOpen, setOpen] = useState(false)
  const set = filters.filter(({ name }) => chosen[name] !== undefined)
  return (
    <search class="filters">
      <div class="filter-line">
        <button type="button" aria-expanded={isOpen} aria-controls="filters" onClick={() => setOpen(!isOpen)}>
          Filter
        </button>
        <button
          type="button"
          aria-pressed={chosen['status'] === 'failed'}
          class={chosen['status'] === 'failed' ? 'on' : ''}
          onClick={() => apply({ status: chosen['status'] === 'failed' ? undefined : 'failed' })}
        >
          Failed
        </button>
        <ul class="chips" aria-label="Filters">
          {set.map((filter) => (
            <Chip key={filter.name} filter={filter} value={chosen[filter.name] ?? ''} />
          ))}
        </ul>
      </div>
      {isOpen && <Form chosen={chosen} onDone={() => setOpen(false)} />}
    </search>
  )
}

function Chip({ filter: { name, label }, value }: { filter: Filter; value: string }) {
  return (
    <li>
      {label}: <strong class="clip">{value}</strong>
      <button type="button" class="plain" onClick={() => apply({ [name]: undefined })}>
        ×<span class="hidden"> Remove {label}</span>
      </button>
    </li>
  )
}

function Form({ chosen, onDone }: { chosen: Readonly<Record<string, string>>; onDone: () => void }) {
  const send = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    apply(
      Object.fromEntries(
        filters.map(({ name }) => [name, String(given.get(name) ?? '').trim() || undefined]),
      ),
    )
    onDone()
  }
  return (
    <form id="filters" class="panel filter-form" onSubmit={send}>
      {filters.map(({ name, label, kind, hint }) => (
        <div key={name}>
          <label for={`filter-${name}`}>{label}</label>
          {kind === 'number' ? (
            <input
              id={`filter-${name}`}
              name={name}
              type="number"
              min="0"
              step="any"
              value={chosen[name] ?? ''}
            />
          ) : (
            <input id={`filter-${name}`} name={name} placeholder={hint} value={chosen[name] ?? ''} />
          )}
        </div>
      ))}
      <div class="buttons">
        <button
          type="button"
          onClick={() => apply(Object.fromEntries(filters.map(({ name }) => [name, undefined])))}
        >
          Clear
        </button>
        <button type="submit" class="main">
          Search
        </button>
      </div>
    </form>
  )
}

/** Another search begins at its first page. */
function apply(changes: Readonly<Record<string, string | undefined>>): void {
  ask({ ...changes, before: undefined })
}
