import type { HealthRegistry } from '../core/health/health-registry.ts'
import type { HealthWord } from '../core/health/health-word.ts'
import { isObject, parseJson } from '../core/model/json/json.ts'
import type { Shared } from './shared.ts'

/** Tells the other nodes what they would else each find out by a call that fails, and hears it from them. */
export function shareHealth(
  { bus, owner }: Pick<Shared, 'bus' | 'owner'>,
  standings: () => HealthRegistry,
): (word: HealthWord) => void {
  bus.subscribe(topic, (text) => {
    const word = wordIn(text, owner)
    if (word !== undefined) standings().heard(word)
  })
  return (word) => bus.publish(topic, JSON.stringify({ ...word, by: owner }))
}

const topic = 'health'

/** Another node's, which may be of another version. */
function wordIn(text: string, owner: string): HealthWord | undefined {
  const told = parseJson(text)
  if (!isObject(told) || told['by'] === owner) return undefined
  const { deployment, model, said, retryAfterMs } = told
  if (typeof deployment !== 'string' || (model !== undefined && typeof model !== 'string')) return undefined
  if (said === 'key_refused') return { deployment, model, said }
  if (said !== 'limited' || typeof retryAfterMs !== 'number') return undefined
  return { deployment, model, said, retryAfterMs }
}
