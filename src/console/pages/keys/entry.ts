import type { PageEntry } from '../page.ts'
import { KeyPage } from './key.tsx'
import { Keys } from './keys.tsx'
import { TeamPage } from './team.tsx'

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

export const teamPage: PageEntry = {
  path: '/console/teams/:id',
  title: 'Team',
  under: keysPage.path,
  show: TeamPage,
}
