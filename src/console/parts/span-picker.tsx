import { useState } from 'preact/hooks'
import { ask } from '../app/router.ts'
import { minuteOf } from '../text/times.ts'
import { Dialog, DialogButtons } from './dialog.tsx'
import { localOf, type Span, spans } from './span.ts'

/** Picks the span of time of a page. It is in the URL: `?span=7d`, or `?from=…&to=…`. */
export function SpanPicker({ span }: { span: Span }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <fieldset class="spans">
      <legend class="hidden">Span of time</legend>
      {spans.map(({ name, label }) => (
        <button
          key={name}
          type="button"
          aria-pressed={span.name === name}
          onClick={() => ask({ span: name, from: undefined, to: undefined })}
        >
          {label}
        </button>
      ))}
      <button type="button" aria-pressed={span.name === undefined} onClick={() => setOpen(true)}>
        {span.name === undefined ? `${minuteOf(span.from)} – ${minuteOf(span.to)}` : 'Other…'}
      </button>
      {isOpen && <OtherSpan span={span} onClose={() => setOpen(false)} />}
    </fieldset>
  )
}

function OtherSpan({ span, onClose }: { span: Span; onClose: () => void }) {
  const take = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    const [from, to] = ['from', 'to'].map((name) => Date.parse(String(given.get(name))))
    if (from === undefined || to === undefined || !(from < to)) return
    ask({ span: undefined, from: new Date(from).toISOString(), to: new Date(to).toISOString() })
    onClose()
  }
  return (
    <Dialog title="Span of time" onClose={onClose}>
      <form onSubmit={take} class="fields">
        <label>
          From
          <input name="from" type="datetime-local" required value={localOf(span.from)} />
        </label>
        <label>
          To
          <input name="to" type="datetime-local" required value={localOf(span.to)} />
        </label>
        <DialogButtons onCancel={onClose}>Show</DialogButtons>
      </form>
    </Dialog>
  )
}
