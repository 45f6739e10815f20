import { Head } from '../../parts/head.tsx'
import type { PageProps } from '../page.ts'

/** One call: what happened to it, and why. */
export function Call({ params }: PageProps) {
  return <Head title={params['id']} />
}
