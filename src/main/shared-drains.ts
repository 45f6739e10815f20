import type { Drain, Drains } from '../core/health/drains.ts'
import type { SharedBus } from '../core/model/shared/bus.ts'

/** Drains that apply in every process on the bus. A process that starts later does not know of those begun earlier. */
export function drainsOver(bus: SharedBus, own: Drains): Drains {
  bus.subscribe(topic, (text) => {
    const { deployment, drain } = JSON.parse(text) as DrainChange
    if (drain === null) own.end(deployment)
    else own.begin(deployment, { ...drain, reason: drain.reason })
  })
  const tell = (change: DrainChange) => bus.publish(topic, JSON.stringify(change))
  return {
    get version() {
      return own.version
    },
    of: own.of,
    begin(deployment, drain) {
      own.begin(deployment, drain)
      tell({ deployment, drain })
    },
    end(deployment) {
      own.end(deployment)
      tell({ deployment, drain: null })
    },
  }
}

type DrainChange = { readonly deployment: string; readonly drain: Drain | null }

const topic = 'drains'
