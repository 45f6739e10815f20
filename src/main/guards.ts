import type { Config } from '../config.ts'
import type { Clock } from '../core/model/ports.ts'
import { type Connections, createConnections } from '../http/call/connections.ts'
import { createKeyBrake, type KeyBrake } from '../http/call/key-brake.ts'
import { createCallerAddress, createProxyCheck } from '../http/caller-address.ts'

/** Checks of a caller's address and host, by the configuration in use. */
export type Guards = { readonly connections: Connections; readonly brake: KeyBrake }

export function createGuards(
  config: () => Pick<Config, 'trustProxy' | 'limits'>,
  clock: Pick<Clock, 'now'>,
): Guards {
  let trusted: Config['trustProxy'] | undefined
  let isProxy = createProxyCheck(0)
  let addressOf = createCallerAddress(isProxy)
  const refresh = () => {
    const { trustProxy } = config()
    if (trustProxy === trusted) return
    trusted = trustProxy
    isProxy = createProxyCheck(trustProxy)
    addressOf = createCallerAddress(isProxy)
  }
  return {
    connections: createConnections({
      limits: () => config().limits,
      isProxy(address) {
        refresh()
        return isProxy(address, 0)
      },
    }),
    brake: createKeyBrake((request) => {
      refresh()
      return addressOf(request)
    }, clock),
  }
}
