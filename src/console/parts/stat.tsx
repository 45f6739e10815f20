import type { ComponentChildren } from 'preact'

type StatProps = {
  readonly name: string
  readonly value: ComponentChildren
  /** Compared with the span before. */
  readonly change?: string | undefined
  readonly note?: ComponentChildren
}

/** One important number. */
export function Stat({ name, value, change, note }: StatProps) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        {change !== undefined && <span class="change"> {change}</span>}
        {note !== undefined && <span class="note">{note}</span>}
      </dd>
    </div>
  )
}
