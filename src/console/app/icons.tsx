/** Drawn on a grid of 16. */
const shapes = {
  brand: 'M1.5 8h3.6m0 0 3.9-4h5.5M5.1 8 9 12h5.5',
  overview: 'M2 13.5V8.5m4 5v-9m4 9V7m4 6.5v-11',
  calls: 'M2 4h12M2 8h8M2 12h10',
  keys: 'M10.5 8.5a3 3 0 1 0-2.9-2.2L2 12v2h2.5l.5-1.5H6.500l.4-1.7 1-.8a3 3 0 0 0 2.6-1.5',
  models: 'M8 1.8 14 5v6l-6 3.200L2 11V5zM2 5l6 3.200L14 5M8 8.200v6',
  route: 'M3 3v4a3 3 0 0 0 3 3h7m-3-3 3 3-3 3M3 3l-1.500 2M3 3l1.500 2',
  playground: 'M2 3h12v8H7l-3 3v-3H2z',
  settings: 'M2 4.500h7m3 0h2M2 11.500h2m3 0h7M10.500 3v3M5.500 10v3',
} as const

export type IconName = keyof typeof shapes

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  )
}
