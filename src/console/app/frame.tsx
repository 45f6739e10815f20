import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { pages } from '../pages/all.ts'
import type { PageEntry } from '../pages/page.ts'
import { timeOf } from '../text/times.ts'
import { isOffline, lastAnswerAt } from './api.ts'
import { Icon } from './icons.tsx'
import { session, signOut } from './session.ts'
import { choose, type Theme, theme } from './theme.ts'

/** The frame of every page: the navigation, the session, and whether the gateway is reachable. */
export function Frame({ page, children }: { page: PageEntry; children: ComponentChildren }) {
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    const line = nav.current
    const link = line?.querySelector('[aria-current]')
    if (!line || !link) return
    // On a phone the navigation is a line that scrolls. `scrollIntoView` would also move the start of Tab.
    const [outer, inner] = [line.getBoundingClientRect(), link.getBoundingClientRect()]
    line.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2
  }, [page])
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="side">
        <a class="brand" href="/console">
          <Icon name="brand" />
          <span>Pandotate</span>
        </a>
        <nav aria-label="Pages" ref={nav}>
          <ul>
            {pages
              .filter(({ icon }) => icon !== undefined)
              .map((one) => (
                <li key={one.path}>
                  <a href={one.path} aria-current={isUnder(page, one) ? 'page' : undefined}>
                    {one.icon && <Icon name={one.icon} />}
                    <span>{one.title}</span>
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <Who />
      </header>
      <div class="body">
        <Notices />
        {children}
      </div>
    </div>
  )
}

function isUnder(page: PageEntry, entry: PageEntry): boolean {
  return page === entry || page.under === entry.path
}

function Who() {
  const { name, role, open, version } = session.value ?? {}
  return (
    <div class="who">
      <label class="theme">
        <span class="hidden">Colours</span>
        <select value={theme.value} onChange={({ currentTarget }) => choose(currentTarget.value as Theme)}>
          <option value="system">As the system</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      {open !== true && (
        <div class="signed">
          <span class="muted" title={`Signed in with a key of the role ${role ?? ''}`}>
            <code>{name}</code> {role}
          </span>
          <button type="button" class="plain" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      )}
      <span class="muted version">{version}</span>
    </div>
  )
}

function Notices() {
  const { open, demo } = session.value ?? {}
  return (
    <aside aria-label="Notices">
      <div aria-live="polite">
        {isOffline.value && (
          <p class="notice bad">
            The gateway cannot be reached. What is shown is as of {timeOf(lastAnswerAt.value)}; it is asked
            again by itself.
          </p>
        )}
      </div>
      {open === true && (
        <p class="notice">
          Open: no key is configured, and this machine alone can reach the gateway. Here you can look and
          play; set <code>ADMIN_KEY</code> to sign in and change things.{' '}
          {demo === true && 'The built-in simulator generates the answers.'}
        </p>
      )}
    </aside>
  )
}
