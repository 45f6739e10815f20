import { useState } from 'preact/hooks'
import { ask } from '../../app/router.ts'
import { FilterForm } from './filter-form.tsx'
import { type Filter, filters } from './filters.ts'
import { useKnownNames } from './known-names.ts'

/** The filters: a chip for each one that is set, and a form for all. */
export function FilterBar({ chosen }: { chosen: Readonly<Record<string, string>> }) {
  const [isOpen, setOpen] = useState(false)
  const known = useKnownNames(isOpen, chosen['key'] !== undefined)
  const nameOfKey = (sought: string) => {
    const key = known.keys.find(({ hash }) => hash === sought)
    return key === undefined ? sought : key.name || key.label
  }
  const textOf = ({ name }: Filter) => {
    const value = chosen[name] ?? ''
    return name === 'key' ? nameOfKey(value) : value
  }
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
            <Chip key={filter.name} filter={filter} value={textOf(filter)} />
          ))}
        </ul>
      </div>
      {isOpen && (
        <FilterForm
          chosen={chosen}
          known={known}
          onSearch={(changes) => {
            apply(changes)
            setOpen(false)
          }}
        />
      )}
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

/** A new search begins at its first page. */
function apply(changes: Readonly<Record<string, string | undefined>>): void {
  ask({ ...changes, before: undefined })
}
