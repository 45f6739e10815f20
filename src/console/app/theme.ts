import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

/** As chosen here, or else the system's. */
export const theme = signal<Theme>('system')

/** Changes whenever colours change, for charts that are drawn on a canvas. */
export const paint = signal(0)

export function startTheme(): void {
  const kept = localStorage.getItem(place)
  choose(kept === 'light' || kept === 'dark' ? kept : 'system')
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paint.value++)
}

export function choose(next: Theme): void {
  theme.value = next
  localStorage.setItem(place, next)
  if (next === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = next
  paint.value++
}

const place = 'pandotate-theme'
