import { createLruMap, type LruMap } from '../model/lru-map.ts'
import type { Clock, Deployment, Random } from '../model/ports.ts'
import type { BreakerSettings } from './breaker.ts'
import {
  createDeploymentHealth,
  type DeploymentHealth,
  type ManagedDeploymentHealth,
} from './deployment-health.ts'
import type { DeploymentHealthParts } from './health-entry.ts'
import type { HealthMessage } from './health-message.ts'
import type { HealthReport } from './health-report.ts'
import type { Probe } from './probe.ts'

/** The health of every deployment, by id: written by attempts, read by the router and by operators. */
export interface HealthRegistry {
  /**
   * Returns the same object for the same deployment; for a deployment of one model out of many, the model's. Throws
   * TypeError for an id that is not in the configuration.
   */
  trackOf(place: Place): DeploymentHealth
  /** Records what a deployment's upstream reported about its health. */
  probed(id: string, probe: Probe): void
  /** Applies a message of another node. Unknown deployments are ignored. */
  receive(message: HealthMessage): void
  /**
   * A report for operators: each deployment as a whole, followed by its most recently used models if it takes any model
   * name.
   */
  snapshot(): readonly DeploymentReport[]
  /**
   * A registry for other deployments, which get these breaker settings. Deployments in `kept` that both registries have
   * share one health object.
   */
  renewed(ids: Iterable<string>, kept: ReadonlySet<string>, breaker?: BreakerSettings): HealthRegistry
}

/** The identity of a deployment. */
export type Place = Pick<Deployment, 'id' | 'madeFor'>

/** One deployment, or one model at it, as shown to operators. */
export type DeploymentReport = HealthReport

export function createHealthRegistry(
  ids: Iterable<string>,
  clock: Clock,
  random: Random,
  { onEvent, onMessage, breaker }: Pick<DeploymentHealthParts, 'onEvent' | 'onMessage' | 'breaker'> = {},
): HealthRegistry {
  return renewedFrom(new Map(), ids, { clock, random, onEvent, onMessage, breaker })
}

/** A deployment, and its most recently used models. */
type Entry = { readonly whole: ManagedDeploymentHealth; readonly models: LruMap<DeploymentHealth> }

/** Callers may send any model name: at most this many are tracked per deployment. */
const mostModels = 1000

function renewedFrom(
  before: ReadonlyMap<string, Entry>,
  ids: Iterable<string>,
  parts: Omit<DeploymentHealthParts, 'id'>,
): HealthRegistry {
  const entryFor = (id: string): Entry =>
    before.get(id) ?? {
      whole: createDeploymentHealth({ id, ...parts }),
      models: createLruMap(mostModels),
    }
  const entries = new Map(Array.from(ids, (id) => [id, entryFor(id)]))
  const entryOf = (id: string) => {
    const entry = entries.get(id)
    if (entry === undefined) throw new TypeError(`No deployment is called ${id}.`)
    return entry
  }
  return {
    trackOf({ id, madeFor }) {
      const { whole, models } = entryOf(id)
      if (madeFor === undefined) return whole
      const known = models.get(madeFor)
      if (known !== undefined) return known
      const track = whole.forModel(madeFor)
      models.set(madeFor, track)
      return track
    },
    probed: (id, probe) => entryOf(id).whole.probed(probe),
    receive(message) {
      const entry = entries.get(message.deployment)
      if (message.model === undefined) entry?.whole.receive(message)
      else entry?.models.get(message.model)?.receive(message)
    },
    snapshot: () =>
      [...entries.values()].flatMap(({ whole, models }) => [
        whole.report(),
        ...Array.from(models.values(), (track) => track.report()),
      ]),
    renewed: (others, kept, breaker = parts.breaker) =>
      renewedFrom(new Map(entries.entries().filter(([id]) => kept.has(id))), others, { ...parts, breaker }),
  }
}
