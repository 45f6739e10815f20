import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import type { Filled } from './form.tsx'
import type { TextName } from './values.ts'

type FieldProps = {
  readonly label: string
  readonly hint?: string
  readonly problem: string | undefined
  readonly children: (marks: Marks) => ComponentChildren
}

/** What ties an input to its label and its problem. */
export type Marks = {
  readonly id: string
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby'?: string
}

/** A field with its label, and beside it what the gateway says is wrong with it. */
export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId()
  const isWrong = problem !== undefined
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        ...{ id, 'aria-invalid': isWrong },
        ...(isWrong || hint !== undefined ? { 'aria-describedby': `${id}-note` } : {}),
      })}
      {(isWrong || hint !== undefined) && (
        <span id={`${id}-note`}>
          {hint !== undefined && <span class="muted small line">{hint}</span>}
          {isWrong && (
            <span class="bad-text" role="alert">
              {problem}
            </span>
          )}
        </span>
      )}
    </div>
  )
}

type TextFieldProps = {
  readonly label: string
  readonly hint?: string
  readonly name: TextName
  readonly filled: Filled
  readonly type?: 'number' | 'datetime-local'
  readonly placeholder?: string
  readonly required?: boolean
  readonly maxLength?: number
  readonly min?: string
  readonly step?: string
}

/** A field of text, a number or a moment. */
export function TextField({ label, hint, name, filled, ...input }: TextFieldProps) {
  const { values, set, problems } = filled
  return (
    <Field label={label} problem={problems[name]} {...(hint === undefined ? {} : { hint })}>
      {(marks) => (
        <input
          {...input}
          {...marks}
          name={name}
          autocomplete="off"
          value={values[name]}
          onInput={({ currentTarget }) => set({ [name]: currentTarget.value })}
        />
      )}
    </Field>
  )
}

type ChoiceFieldProps = {
  readonly label: string
  readonly name: TextName
  readonly filled: Filled
  /** By their values. */
  readonly choices: Readonly<Record<string, string>>
}

/** A field of which one choice is taken; one that is none of them, but is there, is a choice, too. */
export function ChoiceField({ label, name, filled, choices }: ChoiceFieldProps) {
  const { values, set, problems } = filled
  const value = values[name]
  return (
    <Field label={label} problem={problems[name]}>
      {(marks) => (
        <select
          {...marks}
          name={name}
          value={value}
          onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
        >
          {!Object.hasOwn(choices, value) && <option value={value}>{value}</option>}
          {Object.entries(choices).map(([choice, text]) => (
            <option key={choice} value={choice}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
