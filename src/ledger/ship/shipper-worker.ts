import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../store/all.ts'
import type { ShipperData, ShipperOrder } from './messages.ts'
import { createShipping } from './shipping.ts'

// The thread that ships the journal to the store, until the order to finish.
const { store, ...data } = workerData as ShipperData
const shipping = createShipping({
  data,
  openStore: () => openStore(store),
  tell: (news) => parentPort?.postMessage(news),
})
parentPort?.on('message', (order: ShipperOrder) => {
  if (order === 'finish') shipping.finish()
  else shipping.wake()
})
await shipping.run()
parentPort?.close()
