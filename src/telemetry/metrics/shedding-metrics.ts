import { Counter, Gauge, type Registry } from 'prom-client'

/** Calls in flight in the process, and calls refused since its start, by reason. */
export type SheddingCounts = {
  readonly inFlight: number
  readonly inFlightBytes: number
  readonly shed: Readonly<Record<string, number>>
}

/** Shows them; `shedding` is read at each scrape. */
export function showShedding(registry: Registry, shedding: () => SheddingCounts): void {
  const gauge = (name: string, help: string, read: (counts: SheddingCounts) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(shedding()))
      },
    })
  gauge('pandotate_calls_in_flight', 'Calls under way.', ({ inFlight }) => inFlight)
  gauge(
    'pandotate_in_flight_request_bytes',
    'Bytes of the bodies of the calls under way.',
    ({ inFlightBytes }) => inFlightBytes,
  )
  new Counter({
    name: 'pandotate_shed_calls_total',
    help: 'Calls refused because the process had more work than it can handle.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(shedding().shed)) this.inc({ reason }, count)
    },
  })
}
