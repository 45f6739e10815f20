import type { ProviderList } from '../../catalog/kept-lists.ts'
import { Failure } from '../../core/model/failure.ts'
import { writeFailure } from '../../state/primary/written-failure.ts'
import type { Role } from '../role.ts'
import { startProbes } from '../upstreams/probes.ts'
import { readProviderLists } from '../upstreams/provider-lists.ts'
import type { Fleet } from './fleet.ts'

/** Upstreams that one process asks for all: their latest lists are in `lists`. */
export function announcedUpstreams(
  fleet: () => Pick<Fleet, 'tell'>,
  lists: Map<string, ProviderList>,
): Pick<Role, 'readLists' | 'startProbes'> {
  const hear = (name: string, list: ProviderList | undefined) => {
    if (list === undefined) lists.delete(name)
    else lists.set(name, list)
    fleet().tell('list', name, list)
  }
  return {
    readLists(given) {
      const upstreams = [...given.upstreams]
      // A list of a provider whose settings have changed since is not used.
      for (const { name } of upstreams) if (given.known?.has(name) !== true) hear(name, undefined)
      return readProviderLists({ ...given, upstreams, heard: hear })
    },
    startProbes: (given) =>
      startProbes({
        ...given,
        standings: {
          probed(id, probe) {
            given.standings.probed(id, probe)
            const { answer, atEpochMs } = probe
            const result = answer instanceof Failure ? { failure: writeFailure(answer) } : { health: answer }
            fleet().tell('probe', id, atEpochMs, result)
          },
        },
      }),
  }
}
