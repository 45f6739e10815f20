import { Head } from '../../parts/head.tsx'

/** The calls, live and searchable. */
export function Calls() {
  return <Head title="Calls" />
}
