import type { PageEntry } from '../page.ts'
import { Playground } from './playground.tsx'

export const playgroundPage: PageEntry = {
  path: '/console/playground',
  title: 'Playground',
  icon: 'playground',
  show: Playground,
}
