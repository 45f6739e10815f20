import { matched } from '../app/router.ts'
import { callPage, callsPage } from './calls/entry.ts'
import { explainPage } from './explain/entry.ts'
import { keyPage, keysPage, teamPage } from './keys/entry.ts'
import { missingPage } from './missing.tsx'
import { modelsPage } from './models/entry.ts'
import { overviewPage } from './overview/entry.ts'
import type { PageEntry } from './page.ts'
import { playgroundPage } from './playground/entry.ts'
import { settingsPage } from './settings/entry.ts'

/** Every page, in the order of the navigation. */
export const pages: readonly PageEntry[] = [
  ...[overviewPage, callsPage, callPage, keysPage, keyPage, teamPage],
  ...[modelsPage, explainPage, playgroundPage, settingsPage],
]

/** The page of a path, or the page for unknown paths. */
export function found(path: string): { page: PageEntry; params: Readonly<Record<string, string>> } {
  for (const page of pages) {
    const params = matched(page.path, path)
    if (params !== undefined) return { page, params }
  }
  return { page: missingPage, params: {} }
}
