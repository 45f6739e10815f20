import { useEffect, useState } from 'preact/hooks'

/** Copies a text to the clipboard, and confirms it. */
export function CopyButton({ text, label = 'Copy' }: { text: string | (() => string); label?: string }) {
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (said === '') return undefined
    const timer = setTimeout(() => setSaid(''), 2000)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () => {
    const copied = typeof text === 'string' ? text : text()
    // Browsers have a clipboard only for pages over TLS and for localhost.
    const written = navigator.clipboard?.writeText(copied) ?? Promise.reject(new Error('no clipboard'))
    written.then(
      () => setSaid('Copied'),
      () => setSaid('Select the text to copy it'),
    )
  }
  return (
    <span class="copy">
      <button type="button" class="plain" onClick={copy}>
        {label}
      </button>
      <output>{said}</output>
    </span>
  )
}
