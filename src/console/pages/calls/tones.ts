import type { Tone } from '../../parts/badge.tsx'

export function toneOf(status: number, outcome: string): Tone {
  if (outcome === 'left') return 'warn'
  if (status >= 500) return 'bad'
  return status >= 400 ? 'warn' : 'good'
}
