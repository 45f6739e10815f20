import { Counter, type Registry } from 'prom-client'
import type { TraceCounts } from '../traces/tracing.ts'

/** Shows the spans that were sent and lost; `read` is called at each scrape. */
export function showTraces(registry: Registry, read: () => TraceCounts): void {
  new Counter({
    name: 'pandotate_spans_exported_total',
    help: 'Spans that the collector of traces accepted.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read().exported)
    },
  })
  new Counter({
    name: 'pandotate_spans_lost_total',
    help: 'Spans of traces that never reached a collector: the queue was full, it refused them, or the gateway stopped.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(read().lost)) this.inc({ reason }, count)
    },
  })
}
