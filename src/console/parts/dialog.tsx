import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

type DialogProps = {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** A modal question. Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const { current } = dialog
    current?.showModal()
    return () => current?.close()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  )
}

type DialogButtonsProps = {
  readonly onCancel: () => void
  /** What submitting does. */
  readonly children: ComponentChildren
  readonly isSending?: boolean
}

/** The end of a form in a dialog. */
export function DialogButtons({ onCancel, children, isSending = false }: DialogButtonsProps) {
  return (
    <div class="buttons">
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" class="main" aria-disabled={isSending}>
        {children}
      </button>
    </div>
  )
}
