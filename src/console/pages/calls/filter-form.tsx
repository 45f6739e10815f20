import { type Filter, filters } from './filters.ts'
import type { KnownNames } from './known-names.ts'

type FormProps = {
  readonly chosen: Readonly<Record<string, string>>
  readonly known: KnownNames
  /** Undefined removes a filter. */
  readonly onSearch: (changes: Readonly<Record<string, string | undefined>>) => void
}

/** All filters of calls. */
export function FilterForm({ chosen, known, onSearch }: FormProps) {
  const send = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    onSearch(
      Object.fromEntries(
        filters.map(({ name }) => [name, String(given.get(name) ?? '').trim() || undefined]),
      ),
    )
  }
  return (
    <form id="filters" class="panel filter-form" onSubmit={send}>
      {filters.map((filter) => (
        <div key={filter.name}>
          <label for={`filter-${filter.name}`}>{filter.label}</label>
          <Input filter={filter} value={chosen[filter.name] ?? ''} known={known} />
        </div>
      ))}
      <div class="buttons">
        <button
          type="button"
          onClick={() => onSearch(Object.fromEntries(filters.map(({ name }) => [name, undefined])))}
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

type InputProps = { readonly filter: Filter; readonly value: string; readonly known: KnownNames }

// Keeps what was typed if data arrives while the form is open.
function Input({ filter: { name, kind, hint }, value, known }: InputProps) {
  const id = `filter-${name}`
  if (kind === 'key') return <KeyChoice id={id} name={name} value={value} known={known} />
  if (kind === 'number')
    return <input id={id} name={name} type="number" min="0" step="any" defaultValue={value} />
  const suggestions = known.suggestions[name]
  return (
    <>
      <input
        id={id}
        name={name}
        type="text"
        autocomplete="off"
        placeholder={hint}
        defaultValue={value}
        {...(suggestions === undefined ? {} : { list: `${id}-known` })}
      />
      {suggestions !== undefined && (
        <datalist id={`${id}-known`}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
    </>
  )
}

type KeyChoiceProps = Omit<InputProps, 'filter'> & { readonly id: string; readonly name: string }

/** Keys by name; a deleted key by its hash. */
function KeyChoice({ id, name, value, known: { keys } }: KeyChoiceProps) {
  const isKnown = value === '' || keys.some(({ hash }) => hash === value)
  return (
    <select id={id} name={name}>
      <option value="">any</option>
      {!isKnown && (
        <option value={value} selected>
          {value.slice(0, 12)}…
        </option>
      )}
      {keys.map(({ hash, name: keyName, label }) => (
        <option key={hash} value={hash} selected={hash === value}>
          {keyName || label}
        </option>
      ))}
    </select>
  )
}
