import type { HealthMessage } from '../core/health/health-message.ts'
import type { HealthRegistry } from '../core/health/health-registry.ts'
import { isObject, parseJson } from '../core/model/json/json.ts'
import type { Shared } from './shared.ts'

/** Shares health findings between nodes, so that not every node has to fail a call to learn them. */
export function shareHealth(
  { bus, owner }: Pick<Shared, 'bus' | 'owner'>,
  standings: () => HealthRegistry,
): (word: HealthMessage) => void {
  bus.subscribe(topic, (text) => {
    const word = wordIn(text, owner)
    if (word !== undefined) standings().heard(word)
  })
  return (word) => bus.publish(topic, JSON.stringify({ ...word, by: owner }))
}

const topic = 'health'

/** A message of another node, which may run another version. */
function wordIn(text: string, owner: string): HealthMessage | undefined {
  const told = parseJson(text)
  if (!isObject(told) || told['by'] === owner) return undefined
  const { deployment, model, said, retryAfterMs } = told
  if (typeof deployment !== 'string' || (model !== undefined && typeof model !== 'string')) return undefined
  if (said === 'key_refused') return { deployment, model, said }
  if (said !== 'limited' || typeof retryAfterMs !== 'number') return undefined
  return { deployment, model, said, retryAfterMs }
}
