import type { PageEntry } from '../page.ts'
import { Explain } from './explain.tsx'

export const explainPage: PageEntry = {
  path: '/console/explain',
  title: 'Route explain',
  icon: 'route',
  show: Explain,
}
