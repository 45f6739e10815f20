import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Worker } from 'node:worker_threads'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import { deadOrigin } from '../harness/raw-server.ts'
import type { FaultUpstream } from './upstream/fault-upstream.ts'

/** Where the upstreams of the suite are: at the one that answers, and in places where none can be reached. */
export type Places = AsyncDisposable & {
  readonly addresses: Readonly<Record<string, Place>>
  /** How many connections came to where redirects point. */
  readonly strayed: number
}

export type Place = {
  readonly baseUrl: string
  /** What else the provider's section has. */
  readonly more?: JsonObject
}

export async function openPlaces(upstream: FaultUpstream): Promise<Places> {
  const certified = await Promise.all(
    ['sound', 'other-host', 'expired', 'self-signed'].map((name) => openCertified(name, upstream)),
  )
  const blackhole = await openBlackhole()
  const elsewhere = await openElsewhere()
  const sound = { baseUrl: `${upstream.origin}/v1` }
  const addresses: Record<string, Place> = {
    sound,
    // Takes the beginning of an answer as the assistant's own.
    prefixed: { ...sound, more: { preset: 'vllm' } },
    redirecting: { ...sound, more: { headers: { 'x-elsewhere': `${elsewhere.origin}/latest/meta-data` } } },
    narrow: { ...sound, more: { concurrency: 1 } },
    full: { ...sound, more: { concurrency: 1, queueMs: 100 } },
    // Drains an answer without a caller, to know its cost.
    thorough: { ...sound, more: { onAbort: 'drain' } },
    refused: { baseUrl: `${await deadOrigin()}/v1` },
    unknown: { baseUrl: 'http://nowhere.invalid/v1' },
    again: { baseUrl: 'http://again.invalid/v1' },
    stalled: { baseUrl: 'http://stalled.invalid/v1', more: quick },
    blackhole: { baseUrl: `${blackhole.origin}/v1`, more: quick },
  }
  for (const { name, origin } of certified) addresses[`tls-${name}`] = { baseUrl: `${origin}/v1` }
  return {
    addresses,
    get strayed() {
      return elsewhere.connections
    },
    async [Symbol.asyncDispose]() {
      for (const place of [...certified, blackhole, elsewhere]) await place.close()
    },
  }
}

/** So short that it runs out while the suite waits, so long that a sound connection is made within it. */
const quick = { clocks: { connectMs: 250 } }

/** A certificate that says what its name says, in front of the upstream. */
async function openCertified(name: string, upstream: FaultUpstream) {
  const read = (file: string) => readFileSync(new URL(`certificates/${file}.pem`, import.meta.url))
  const server = createTlsServer({ key: read('key'), cert: read(name) }, upstream.take)
  // A caller who does not like the certificate is what it is there for.
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { name, origin, close: () => closed(server) }
}

/** Where a redirect points to. */
async function openElsewhere() {
  let connections = 0
  const server = createNetServer((socket) => {
    connections++
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    close: () => closed(server),
  }
}

/** A thread that listens with a full backlog and accepts nothing: connections are not even refused. */
export async function openBlackhole() {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(blackholeSource, { eval: true, workerData: gate })
  const [port] = (await once(worker, 'message')) as [number]
  const fillers = await fill(port)
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      for (const filler of fillers) filler.destroy()
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      await once(worker, 'exit')
    },
  }
}

const blackholeSource = `
const { parentPort, workerData } = require('node:worker_threads')
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(workerData, 0, 0)
  process.exit(0)
})`

/** The kernel takes one more than the backlog says. */
async function fill(port: number): Promise<readonly Socket[]> {
  const fillers = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  for (const filler of fillers) filler.on('error', () => undefined)
  await Promise.all(fillers.map((filler) => once(filler, 'connect')))
  return fillers
}

async function closed(server: ReturnType<typeof createNetServer>): Promise<void> {
  server.close()
  await once(server, 'close')
}
