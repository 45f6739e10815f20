import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../store/all.ts'
import type { ShipperData } from './messages.ts'
import { createShipping } from './shipping.ts'

// The thread that takes the journal into the store, until it gets its only order: to finish.
const { store, ...data } = workerData as ShipperData
const shipping = createShipping({
  data,
  openStore: () => openStore(store),
  tell: (news) => parentPort?.postMessage(news),
})
parentPort?.once('message', () => shipping.finish())
await shipping.run()
parentPort?.close()
