/**
 * Deployments that an operator has taken out of use. They get no new calls; calls in flight there finish. A drain lasts
 * until it is ended or the process ends, whatever the configuration says.
 */
export interface Drains {
  /** Increases with each start and end of a drain. */
  readonly version: number
  /** Undefined: it is in use. */
  of(deployment: string): Drain | undefined
  /** The latest call wins. */
  begin(deployment: string, drain: Drain): void
  end(deployment: string): void
}

export type Drain = {
  readonly sinceEpochMs: number
  /** Who asked for it, as audit rows name them. */
  readonly by: string
  readonly reason: string | undefined
}

export function createDrains(): Drains {
  const drains = new Map<string, Drain>()
  let version = 0
  return {
    get version() {
      return version
    },
    of: (deployment) => drains.get(deployment),
    begin(deployment, drain) {
      drains.set(deployment, drain)
      version++
    },
    end(deployment) {
      if (drains.delete(deployment)) version++
    },
  }
}
