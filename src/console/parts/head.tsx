import type { ComponentChildren } from 'preact'

/** The heading of a page, and the controls of the whole page. */
export function Head({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      {children !== undefined && <div class="steer">{children}</div>}
    </div>
  )
}
