import type { PageEntry } from '../page.ts'
import { KeyPage } from './key.tsx'
import { Keys } from './keys.tsx'

export const keysPage: PageEntry = {
  path: '/console/keys',
  title: 'Keys & budgets',
  icon: 'keys',
  show: Keys,
}

export const keyPage: PageEntry = {
  path: '/console/keys/:hash',
  title: 'Key',
  under: keysPage.path,
  show: KeyPage,
}
