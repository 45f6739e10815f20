import type { HealthMessage } from '../core/health/health-message.ts'
import type { HealthRegistry } from '../core/health/health-registry.ts'
import { isObject, parseJson } from '../core/model/json/json.ts'
import type { Shared } from './shared.ts'

/** Shares health findings between nodes, so that not every node has to fail a call to learn them. */
export function shareHealth(
  { bus, owner }: Pick<Shared, 'bus' | 'owner'>,
  standings: () => HealthRegistry,
): (message: HealthMessage) => void {
  bus.subscribe(topic, (text) => {
    const message = messageIn(text, owner)
    if (message !== undefined) standings().receive(message)
  })
  return (message) => bus.publish(topic, JSON.stringify({ ...message, by: owner }))
}

const topic = 'health'

/** Parses a message of another node, which may run another version. */
function messageIn(text: string, owner: string): HealthMessage | undefined {
  const received = parseJson(text)
  if (!isObject(received) || received['by'] === owner) return undefined
  const { deployment, model, said, retryAfterMs } = received
  if (typeof deployment !== 'string' || (model !== undefined && typeof model !== 'string')) return undefined
  if (said === 'key_refused') return { deployment, model, said }
  if (said !== 'limited' || typeof retryAfterMs !== 'number') return undefined
  return { deployment, model, said, retryAfterMs }
}
