import { Head } from '../parts/head.tsx'
import type { PageEntry } from './page.ts'

export const missingPage: PageEntry = { path: '', title: 'No such page', show: Missing }

function Missing() {
  return (
    <>
      <Head title="No such page" />
      <p>
        The console has no page here. <a href="/console">Go to the overview.</a>
      </p>
    </>
  )
}
