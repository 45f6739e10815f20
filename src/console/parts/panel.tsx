import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

type PanelProps = {
  readonly title: ComponentChildren
  readonly side?: ComponentChildren
  readonly children: ComponentChildren
}

/** A section of a page, with its own heading. */
export function Panel({ title, side, children }: PanelProps) {
  const id = useId()
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {side}
      </div>
      {children}
    </section>
  )
}
