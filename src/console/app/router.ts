import { computed, signal } from '@preact/signals'

/** The current location. Every page is a URL, and its parameters are the query. */
export const place = signal(read())

export const query = computed(() => new URLSearchParams(place.value.search))

type Place = { readonly path: string; readonly search: string }

/** Follows the browser's buttons, and handles clicks on links to other pages of the console. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = read()
  })
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.origin !== location.origin) return
    if (!/^\/console(?:\/|$)/.test(link.pathname) || link.hash !== '') return
    event.preventDefault()
    go(link.pathname + link.search)
  })
}

export function go(url: string): void {
  if (url === location.pathname + location.search) return
  history.pushState(null, '', url)
  place.value = read()
}

/**
 * Changes the query of this page. Undefined removes a part. Replaces the history entry, because a filter is not a page
 * to return to.
 */
export function ask(changes: Readonly<Record<string, string | undefined>>): void {
  const next = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(name)
    else next.set(name, value)
  }
  history.replaceState(null, '', urlOf(location.pathname, next))
  place.value = read()
}

export function urlOf(path: string, parts: URLSearchParams | Readonly<Record<string, string>>): string {
  const search = new URLSearchParams(parts).toString()
  return search === '' ? path : `${path}?${search}`
}

/** The parameters of a pattern such as `/console/calls/:id`. Undefined: the path does not match. */
export function matched(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/(.)\/$/, '$1').split('/')
  if (wanted.length !== given.length) return undefined
  const found: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? ''
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(value)
    else if (part !== value) return undefined
  }
  return found
}

function read(): Place {
  return { path: location.pathname, search: location.search }
}
