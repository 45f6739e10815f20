import { useEffect, useRef } from 'preact/hooks'
import { found } from '../pages/all.ts'
import { Frame } from './frame.tsx'
import { place } from './router.ts'
import { session } from './session.ts'
import { SignIn } from './sign-in.tsx'

/** The console: the page of the URL, for the signed-in manager. */
export function App() {
  const { value: known } = session
  if (known === undefined) return <output class="loading">Loading…</output>
  return known.signed_in ? <Pages /> : <SignIn />
}

function Pages() {
  const { path } = place.value
  const { page, params } = found(path)
  const main = useRef<HTMLElement>(null)
  const shown = useRef(path)
  useEffect(() => {
    document.title = `${page.title} · Pandotate Gateway`
    // Screen readers and keyboard users start a new page at its beginning.
    if (shown.current !== path) main.current?.focus()
    shown.current = path
    scrollTo(0, 0)
  }, [path, page])
  const Page = page.show
  return (
    <Frame page={page}>
      <main id="main" tabIndex={-1} ref={main}>
        <Page key={path} params={params} />
      </main>
    </Frame>
  )
}
