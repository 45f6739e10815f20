import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

/** As it was chosen here, or else as the system has it. */
export const theme = signal<Theme>('system')

/** Changes with whatever changes colours, for what is drawn by hand. */
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
