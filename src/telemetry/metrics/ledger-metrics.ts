import { Counter, Gauge, type Registry } from 'prom-client'

/** The state of the ledger in numbers. */
export type LedgerCounts = {
  readonly spooledBytes: number
  readonly behindBytes: number
  readonly behindMs: number
  readonly isDiskFull: boolean
  readonly droppedCalls: number
  readonly unwrittenCalls: number
  readonly shippedCalls: number
  readonly storeFailures: number
  readonly syncFailures: number
}

/** Shows it; `ledger` is read at each scrape. */
export function showLedger(registry: Registry, ledger: () => LedgerCounts): void {
  const gauge = (name: string, help: string, read: (counts: LedgerCounts) => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read(ledger()))
      },
    })
  const counter = (name: string, help: string, read: (counts: LedgerCounts) => number) =>
    new Counter({
      ...{ name, help, registers: [registry] },
      collect() {
        this.reset()
        this.inc(read(ledger()))
      },
    })
  gauge('pandotate_ledger_spooled_bytes', 'Bytes of the journal on the disk.', (it) => it.spooledBytes)
  gauge('pandotate_ledger_behind_bytes', 'Bytes of the journal not yet in the store.', (it) => it.behindBytes)
  gauge(
    'pandotate_ledger_behind_seconds',
    'The age of the oldest call that is not yet in the store.',
    (it) => it.behindMs / 1000,
  )
  gauge('pandotate_ledger_disk_full', '1 while the journal cannot be written.', (it) => Number(it.isDiskFull))
  counter('pandotate_ledger_shipped_calls_total', 'Calls written to the store.', (it) => it.shippedCalls)
  counter(
    'pandotate_ledger_dropped_calls_total',
    'Calls without a record, because too much waited for the store.',
    (it) => it.droppedCalls,
  )
  counter(
    'pandotate_ledger_unwritten_calls_total',
    'Calls without a record, because the journal could not be written.',
    (it) => it.unwrittenCalls,
  )
  counter('pandotate_ledger_store_failures_total', 'Failures of the store.', (it) => it.storeFailures)
  counter(
    'pandotate_ledger_sync_failures_total',
    'Failures to write the journal to the disk.',
    (it) => it.syncFailures,
  )
}
