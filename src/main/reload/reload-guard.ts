import { type Config, ConfigError, type Finding, placeOf } from '../../config.ts'
import { widened } from '../../tenants/keys/widening.ts'

/** Refuses configurations that silently allow more than the one in use. */
export interface ReloadGuard {
  /** Throws ConfigError with everything that would be allowed in addition. */
  check(offered: Config, inUse: Config): void
}

/**
 * A file may be truncated, by an editor that is still writing it or by a full disk, and still be a valid configuration
 * without its last settings. So a guard or limit cannot be removed by leaving it out; another value must be written
 * explicitly. Once keys are required, they remain required until the process ends.
 */
export function createReloadGuard(first: Config): ReloadGuard {
  let hasAskedForKeys = first.keys.length > 0
  return {
    check(offered, inUse) {
      hasAskedForKeys ||= inUse.keys.length > 0
      const findings = isEmptied(offered, inUse)
        ? [emptied]
        : [
            ...lostKeys(offered, hasAskedForKeys),
            ...lostAdminKeys(offered, inUse),
            ...lostLimits(offered, inUse),
            ...lostSections(offered, inUse),
            ...widenedKeys(offered, inUse),
          ]
      if (findings.length === 0) return
      const source = offered.source ?? 'environment'
      throw new ConfigError(findings.map(({ path, message }) => ({ source, place: placeOf(path), message })))
    },
  }
}

function widenedKeys(offered: Config, inUse: Config): readonly Finding[] {
  if (offered.acceptWider) return []
  return widened(inUse.tenants, offered.tenants).map((what) => ({
    path: ['auth', 'keys'],
    message: `${what}: set auth.acceptWider: true if that is intended`,
  }))
}

function isEmptied(offered: Config, { stated }: Config): boolean {
  return stated.length > 0 && offered.stated.length === 0
}

const emptied: Finding = { path: [], message: 'is empty, expected settings: only a restart accepts that' }

function lostKeys({ keys, allowUnauthenticated }: Config, hasAskedForKeys: boolean): readonly Finding[] {
  if (!hasAskedForKeys || keys.length > 0 || allowUnauthenticated) return []
  const message =
    'found none, expected some: this process requires keys until it ends. ' +
    'Only server.allowUnauthenticated: true lets everybody in'
  return [{ path: ['auth', 'keys'], message }]
}

function lostAdminKeys(offered: Config, inUse: Config): readonly Finding[] {
  const isLost = inUse.adminKeys.length > 0 && offered.adminKeys.length === 0
  if (!isLost || offered.keys.length > 0 || offered.allowUnauthenticated) return []
  return [
    {
      path: ['auth', 'adminKeys'],
      message: 'found none, expected some: without them everybody may manage the gateway',
    },
  ]
}

/** Limits that are no longer written, and whose defaults allow more. */
function lostLimits(offered: Config, inUse: Config): readonly Finding[] {
  const bounds = Object.entries(inUse.limits).flatMap(([name, bound]): Finding[] => {
    const now = offered.limits[name as keyof Config['limits']]
    const path = ['limits', name]
    if (!isDropped(path, offered, inUse) || !isBound(name) || typeof bound !== 'number') return []
    if (typeof now === 'number' && now <= bound) return []
    return [
      {
        path,
        message: `is gone, expected an explicit value: it was ${bound}, and would be ${now ?? 'none'}`,
      },
    ]
  })
  const isStrictLost = inUse.strict && !offered.strict && isDropped(['strict'], offered, inUse)
  return isStrictLost
    ? [...bounds, { path: ['strict'], message: 'is gone, expected true, or false' }]
    : bounds
}

/** True for a limit whose removal allows more. */
function isBound(name: string): boolean {
  return name !== 'keepaliveMs' && name !== 'heartbeatMs'
}

/** Removed sections that limit what callers may do or which models they may use. */
function lostSections(offered: Config, inUse: Config): readonly Finding[] {
  const sections = inUse.stated.filter((place) => !place.includes('.') && !checkedElsewhere.has(place))
  return sections
    .filter((section) => !offered.stated.includes(section))
    .map((section) => ({
      path: [section],
      message: 'is gone, expected it to stay: only a restart removes it',
    }))
}

/** Sections that are checked separately, and those whose removal allows nothing more. */
const checkedElsewhere: ReadonlySet<string> = new Set([
  ...['auth', 'limits', 'strict'],
  ...[
    'server',
    'cors',
    'log',
    'slowThresholdMs',
    'cache',
    'drain',
    'hedging',
    'breaker',
    'coalesce',
    'idempotency',
    'responses',
  ],
  ...['stickiness', 'refreshPrices', 'dataDirectory', 'console', 'shared', 'probes', 'providers', 'tracing'],
])

function isDropped(path: readonly string[], offered: Config, inUse: Config): boolean {
  const place = path.join('.')
  return inUse.stated.includes(place) && !offered.stated.includes(place)
}
