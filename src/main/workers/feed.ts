import type { ProviderList } from '../../catalog/kept-lists.ts'
import type { Probe } from '../../core/health/probe.ts'
import type { UpstreamHealth } from '../../core/model/ports.ts'
import type { Peer } from '../../state/primary/peer.ts'
import { readFailure, type WrittenFailure } from '../../state/primary/written-failure.ts'
import type { Role } from '../role.ts'
import {
  isListing,
  type ProviderLists,
  type ProviderListsParts,
  takeList,
} from '../upstreams/provider-lists.ts'
import type { WorkerStart } from './worker-start.ts'

/** A probe as the primary reports it. */
type ProbeMessage = { readonly failure: WrittenFailure } | { readonly health: UpstreamHealth }

/** Models and health of upstreams as the primary knows them: workers do not ask upstreams. */
export function followFeed(primary: Peer, start: WorkerStart): Pick<Role, 'readLists' | 'startProbes'> {
  const lists = new Map(start.lists)
  const heard = new Set<(name: string, list: ProviderList) => void>()
  const probed = new Set<(id: string, probe: Probe) => void>()
  primary.serve({
    list(name: string, list: ProviderList | undefined) {
      if (list === undefined) {
        lists.delete(name)
        return
      }
      lists.set(name, list)
      for (const take of heard) take(name, list)
    },
    probe(id: string, atEpochMs: number, result: ProbeMessage) {
      const answer = 'failure' in result ? readFailure(result.failure) : result.health
      for (const take of probed) take(id, { atEpochMs, answer })
    },
  })
  return {
    readLists: (parts) => followLists(parts, lists, heard),
    startProbes({ deployments, standings }) {
      const ids = new Set(Array.from(deployments, ({ id }) => id))
      const take = (id: string, probe: Probe) => {
        if (ids.has(id)) standings.probed(id, probe)
      }
      probed.add(take)
      return { [Symbol.dispose]: () => void probed.delete(take) }
    },
  }
}

function followLists(
  { upstreams, book, known }: ProviderListsParts,
  lists: ReadonlyMap<string, ProviderList>,
  heard: Set<(name: string, list: ProviderList) => void>,
): ProviderLists {
  const names = new Set([...upstreams].filter(isListing).map(({ name }) => name))
  const own = new Map<string, ProviderList>()
  const take = (name: string, list: ProviderList) => {
    if (!names.has(name)) return
    own.set(name, list)
    takeList(book, name, list)
  }
  for (const name of names) {
    const list = known?.get(name) ?? lists.get(name)
    if (list !== undefined) take(name, list)
  }
  heard.add(take)
  return {
    of: (wanted) => new Map([...own].filter(([name]) => wanted.has(name))),
    report: () =>
      Array.from(names, (provider) => {
        const list = own.get(provider)
        return {
          ...{ provider, readEpochMs: list?.epochMs, models: list?.models?.length ?? 0 },
          ...{ failures: 0, asked: 0 },
        }
      }),
    [Symbol.dispose]: () => void heard.delete(take),
  }
}
