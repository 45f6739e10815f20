import type { Asked } from './run.ts'

/** Parameters for all models. */
export type Settings = Pick<Asked, 'kind' | 'system' | 'isStream' | 'parameters'>

export const settingsAtFirst: Settings = { kind: 'chat', system: '', isStream: true, parameters: {} }

type ParametersProps = {
  readonly settings: Settings
  readonly onChange: (settings: Settings) => void
  readonly isCompared: boolean
  readonly onCompare: (isCompared: boolean) => void
}

const numbers = [
  { name: 'temperature', label: 'Temperature', most: 2, step: 0.1 },
  { name: 'top_p', label: 'Top p', most: 1, step: 0.05 },
  { name: 'max_tokens', label: 'Max tokens', most: 1_000_000, step: 1 },
] as const

export function Parameters({ settings, onChange, isCompared, onCompare }: ParametersProps) {
  const { kind, system, isStream, parameters } = settings
  const set = (name: string, value: number | readonly string[] | undefined) => {
    const { [name]: _, ...others } = parameters
    onChange({ ...settings, parameters: value === undefined ? others : { ...others, [name]: value } })
  }
  return (
    <>
      <div class="row">
        <label class="check">
          <input
            type="checkbox"
            checked={isCompared}
            onChange={({ currentTarget }) => onCompare(currentTarget.checked)}
          />
          Two models side by side
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isStream}
            onChange={({ currentTarget }) => onChange({ ...settings, isStream: currentTarget.checked })}
          />
          As a stream
        </label>
        <label class="beside">
          As a
          <select
            value={kind}
            onChange={({ currentTarget }) =>
              onChange({ ...settings, kind: currentTarget.value as Settings['kind'] })
            }
          >
            <option value="chat">chat</option>
            <option value="completion">completion</option>
          </select>
        </label>
      </div>
      <details>
        <summary>
          Parameters{Object.keys(parameters).length > 0 && ` (${Object.keys(parameters).join(', ')})`}
        </summary>
        <div class="pair">
          {numbers.map(({ name, label, most, step }) => (
            <label key={name}>
              {label}
              <input
                type="number"
                min="0"
                max={most}
                step={step}
                placeholder="as usual"
                onInput={({ currentTarget: { value } }) =>
                  set(name, value === '' ? undefined : Number(value))
                }
              />
            </label>
          ))}
          <label>
            Stop at
            <input
              placeholder="nothing"
              autocomplete="off"
              onInput={({ currentTarget: { value } }) => set('stop', value === '' ? undefined : [value])}
            />
          </label>
        </div>
        {kind === 'chat' && (
          <label>
            System
            <textarea
              rows={2}
              value={system}
              onInput={({ currentTarget }) => onChange({ ...settings, system: currentTarget.value })}
            />
          </label>
        )}
      </details>
    </>
  )
}
