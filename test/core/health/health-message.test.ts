import { describe, expect, test } from 'vitest'
import type { HealthMessage } from '../../../src/core/health/health-message.ts'
import { createHealthRegistry, type HealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { end, one, other } from '../../harness/core/health-snapshot.ts'
import { handClock } from '../../harness/core/pool.ts'

/** Two nodes: the second receives what the first learns from its upstreams. */
function twoNodes() {
  const clock = handClock()
  const words: HealthMessage[] = []
  const ids = [one.id, other.id]
  const there: HealthRegistry = createHealthRegistry(ids, clock, () => 0)
  const onMessage = (word: HealthMessage) => {
    words.push(word)
    there.receive(word)
  }
  return { clock, words, here: createHealthRegistry(ids, clock, () => 0, { onMessage }), there }
}

const limited = (retryAfterMs?: number) => new Failure('rate_limited', 'Slower, please.', { retryAfterMs })
const refused = new Failure('upstream_auth', 'The key is not taken.', { upstreamStatus: 401 })

describe('what one node learns from its upstream', () => {
  test('a rate limit with a reset stops calls on the other nodes until then', () => {
    const { here, there, clock } = twoNodes()
    end(here, one, limited(3000))
    expect(there.trackOf(one).standing()).toMatchObject({ breaker: 'closed', share: 0, isUntried: true })
    expect(there.trackOf(other).standing().share).toBe(1)
    clock.move(3000)
    clock.move(10_000)
    expect(there.trackOf(one).standing().share).toBe(1)
  })

  test('many refusals at once are sent once, a later reset again', () => {
    const { here, words, clock } = twoNodes()
    for (let time = 0; time < 20; time++) end(here, one, limited(3000))
    expect(words).toHaveLength(1)
    clock.move(2000)
    end(here, one, limited(3000))
    expect(words).toHaveLength(2)
  })

  test('a refused key of ours stops calls on the other nodes', () => {
    const { here, there } = twoNodes()
    end(here, one, refused)
    expect(there.trackOf(one).standing().breaker).toBe('open')
    expect(there.trackOf(other).standing().breaker).toBe('closed')
  })

  test('about one model of many concerns that model only; a refused key concerns all', () => {
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
  ] as const)('is not shared: %s', ([, failure]) => {
    const { here, words } = twoNodes()
    for (let time = 0; time < 9; time++) end(here, one, failure)
    expect(words).toEqual([])
  })

  test('a message about an unknown deployment is ignored', () => {
    const { there } = twoNodes()
    expect(() => there.receive({ deployment: 'none', model: undefined, said: 'key_refused' })).not.toThrow()
    expect(() => there.receive({ deployment: one.id, model: 'none', said: 'key_refused' })).not.toThrow()
  })
})
