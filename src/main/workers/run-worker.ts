import type { Config } from '../../config.ts'
import { type GatewayEnvironment, type RunningGateway, startGateway } from '../../main.ts'
import { createPeer, type Peer } from '../../state/primary/peer.ts'
import type { DrainTimes } from '../drain.ts'
import type { Pulse } from './primary-service.ts'
import { processChannel } from './process-channel.ts'
import { workerRole } from './worker-role.ts'
import type { WorkerStart } from './worker-start.ts'

/**
 * Serves as a worker of the process that started this one, until that sends `stop`. Ends at once if that process ends:
 * later answers could not be recorded.
 */
export async function runWorker(openLogs: (config: Config) => WorkerLogs): Promise<void> {
  process.once('disconnect', () => process.exit(1))
  const primary = createPeer(processChannel(process))
  const stopped = Promise.withResolvers<Partial<DrainTimes>>()
  let gateway: RunningGateway | undefined
  let isHurried = false
  primary.serve({
    stop: stopped.resolve,
    hurry() {
      isHurried = true
      gateway?.hurry()
    },
  })
  const start = (await primary.ask('start')) as WorkerStart
  const { config, version } = start
  const { role, pulse } = workerRole(primary, start)
  const beating = setInterval(() => beat(primary, pulse()), beatMs)
  beating.unref()
  try {
    gateway = await startGateway(config, { ...openLogs(config), version, role })
    primary.tell('serving', gateway.url)
  } catch (thrown) {
    await refuse(primary, thrown)
    return
  }
  const times = await stopped.promise
  if (isHurried) gateway.hurry()
  await gateway.stop(times)
  clearInterval(beating)
  primary.tell('pulse', pulse())
  // All earlier messages have arrived once this is answered.
  await primary.ask('parting')
  process.removeAllListeners('disconnect')
  process.disconnect()
}

export type WorkerLogs = Pick<GatewayEnvironment, 'log' | 'callLog'>

/** The maximum age of what the primary knows of this worker's load, and of the last use of keys. */
const beatMs = 1000

function beat(primary: Peer, pulse: Pulse): void {
  primary.tell('pulse', pulse)
}

/** Reports to the primary that this worker could not start. */
async function refuse(primary: Peer, thrown: unknown): Promise<void> {
  const { message, stack, code } = thrown as Error & { readonly code?: unknown }
  await primary.ask('failed', { message, stack, code })
  process.removeAllListeners('disconnect')
  process.disconnect()
  process.exitCode = 1
}
