import { writeFile } from 'node:fs/promises'
import { allMetrics } from './all-metrics.ts'
import { observabilityPage } from './observability.ts'

const page = observabilityPage(allMetrics().described())
await writeFile(new URL('../../docs/observability.md', import.meta.url), page)
