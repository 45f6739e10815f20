import { describe, expect, test } from 'vitest'
import type { HealthMessage } from '../../../src/core/health/health-message.ts'
import { createHealthRegistry, type HealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { end, one, other } from '../../harness/core/health-snapshot.ts'
import { handClock } from '../../harness/core/pool.ts'

/** Two nodes: what the first is told by its upstreams reaches the second. */
function twoNodes() {
  const clock = handClock()
  const words: HealthMessage[] = []
  const ids = [one.id, other.id]
  const there: HealthRegistry = createHealthRegistry(ids, clock, () => 0)
  const onWord = (word: HealthMessage) => {
    words.push(word)
    there.heard(word)
  }
  return { clock, words, here: createHealthRegistry(ids, clock, () => 0, { onWord }), there }
}

const limited = (retryAfterMs?: number) => new Failure('rate_limited', 'Slower, please.', { retryAfterMs })
const refused = new Failure('upstream_auth', 'The key is not taken.', { upstreamStatus: 401 })

describe('what one node is told', () => {
  test('a limit with its reset keeps calls away at the others, until then', () => {
    const { here, there, clock } = twoNodes()
    end(here, one, limited(3000))
    expect(there.trackOf(one).standing()).toMatchObject({ breaker: 'closed', share: 0, isUntried: true })
    expect(there.trackOf(other).standing().share).toBe(1)
    clock.move(3000)
    clock.move(10_000)
    expect(there.trackOf(one).standing().share).toBe(1)
  })

  test('many refusals at once are reported once, a later reset again', () => {
    const { here, words, clock } = twoNodes()
    for (let time = 0; time < 20; time++) end(here, one, limited(3000))
    expect(words).toHaveLength(1)
    clock.move(2000)
    end(here, one, limited(3000))
    expect(words).toHaveLength(2)
  })

  test('a key of ours that is refused keeps calls away at the others', () => {
    const { here, there } = twoNodes()
    end(here, one, refused)
    expect(there.trackOf(one).standing().breaker).toBe('open')
    expect(there.trackOf(other).standing().breaker).toBe('closed')
  })

  test('of one model among many it concerns that model alone, but a refused key all of them', () => {
    const { here, there } = twoNodes()
    const [mine, theirs] = [
      { ...one, madeFor: 'mine' },
      { ...one, madeFor: 'theirs' },
    ]
    for (const place of [mine, theirs]) there.trackOf(place)
    end(here, mine, limited(3000))
    expect(there.trackOf(mine).standing().share).toBe(0)
    expect(there.trackOf(theirs).standing().share).toBe(1)
    end(here, mine, refused)
    expect(there.trackOf(theirs).standing().breaker).toBe('open')
  })

  test.for([
    ['a limit without a time', limited()],
    ['an error', new Failure('upstream_error', 'No.')],
    ['nobody there', new Failure('unreachable', 'Gone.')],
    ['an answer', undefined],
  ] as const)('is each node’s own: %s', ([, failure]) => {
    const { here, words } = twoNodes()
    for (let time = 0; time < 9; time++) end(here, one, failure)
    expect(words).toEqual([])
  })

  test('a word on what a node has not is of no effect', () => {
    const { there } = twoNodes()
    expect(() => there.heard({ deployment: 'none', model: undefined, said: 'key_refused' })).not.toThrow()
    expect(() => there.heard({ deployment: one.id, model: 'none', said: 'key_refused' })).not.toThrow()
  })
})
