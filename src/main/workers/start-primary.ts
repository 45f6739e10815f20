import { availableParallelism } from 'node:os'
import type { Config } from '../../config.ts'
import { type RunningGateway, startGateway } from '../../main.ts'
import { type PrimaryParts, primaryRole } from './primary-role.ts'

/** The number of processes of a configuration. */
export function workersIn({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers
}

/** Starts a gateway of several processes, with this one as their primary. Rejects as `startGateway` does. */
export async function startPrimary(parts: PrimaryParts): Promise<RunningGateway> {
  const { config, log, version } = parts
  const { role, fleet } = primaryRole(parts)
  const gateway = await startGateway(config, { log, version, role })
  return {
    ...gateway,
    stop(times = {}) {
      fleet.retire()
      // They go through the same phases at the same time.
      fleet.tell('stop', times)
      return gateway.stop(times)
    },
    hurry() {
      fleet.tell('hurry')
      gateway.hurry()
    },
  }
}
