import type { Drain, Drains } from '../../core/health/drains.ts'

/** Drains that report every change. */
export type ObservedDrains = {
  over(own: Drains): Drains
  all(): readonly (readonly [deployment: string, drain: Drain])[]
}

/** `tell` receives each drain as it begins, and undefined as it ends. */
export function observeDrains(tell: (deployment: string, drain: Drain | undefined) => void): ObservedDrains {
  const begun = new Map<string, Drain>()
  return {
    over: (own) => ({
      get version() {
        return own.version
      },
      of: own.of,
      begin(deployment, drain) {
        own.begin(deployment, drain)
        begun.set(deployment, drain)
        tell(deployment, drain)
      },
      end(deployment) {
        own.end(deployment)
        begun.delete(deployment)
        tell(deployment, undefined)
      },
    }),
    all: () => [...begun],
  }
}
