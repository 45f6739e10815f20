import type { PageEntry } from '../page.ts'
import { Overview } from './overview.tsx'

export const overviewPage: PageEntry = {
  path: '/console',
  title: 'Overview',
  icon: 'overview',
  show: Overview,
}
