import type { PageEntry } from '../page.ts'
import { Models } from './models.tsx'

export const modelsPage: PageEntry = {
  path: '/console/models',
  title: 'Models',
  icon: 'models',
  show: Models,
}
