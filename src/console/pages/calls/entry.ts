import type { PageEntry } from '../page.ts'
import { Call } from './call.tsx'
import { Calls } from './calls.tsx'

export const callsPage: PageEntry = { path: '/console/calls', title: 'Calls', icon: 'calls', show: Calls }

export const callPage: PageEntry = {
  path: '/console/calls/:id',
  title: 'Call',
  under: callsPage.path,
  show: Call,
}
