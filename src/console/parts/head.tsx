import type { ComponentChildren } from 'preact'

/** The heading of a page, with what steers the whole of it beside. */
export function Head({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      {children !== undefined && <div class="steer">{children}</div>}
    </div>
  )
}
