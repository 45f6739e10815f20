import type { PageEntry } from '../page.ts'
import { Settings } from './settings.tsx'

export const settingsPage: PageEntry = {
  path: '/console/settings',
  title: 'Settings',
  icon: 'settings',
  show: Settings,
}
