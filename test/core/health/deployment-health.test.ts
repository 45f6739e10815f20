import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { answered, end, one, other, some } from '../../harness/core/health-snapshot.ts'

describe('a deployment that runs models by the caller’s spelling', () => {
  const modelOf = (madeFor: string) => ({ ...one, madeFor })
  const [sick, well] = [modelOf('sick'), modelOf('well')]

  const kinds: [string, Failure, string, string][] = [
    ['an error', new Failure('upstream_error', 'No.'), 'open', 'closed'],
    ['a timeout', new Failure('timeout', 'Late.'), 'open', 'closed'],
    ['nobody there', new Failure('unreachable', 'Gone.'), 'open', 'open'],
    ['our key refused', new Failure('upstream_auth', 'No.', { upstreamStatus: 401 }), 'open', 'open'],
    ['our account refused', new Failure('upstream_auth', 'No.', { upstreamStatus: 402 }), 'open', 'open'],
    [
      'our key refused for the model',
      new Failure('upstream_auth', 'No.', { upstreamStatus: 403 }),
      'open',
      'closed',
    ],
  ]
  test.for(kinds)('keeps calls from one model, or from all: %s', ([_, failure, ofSick, ofWell]) => {
    const { standings } = some()
    for (let time = 0; time < 5; time++) end(standings, sick, failure)
    expect(standings.trackOf(sick).standing().breaker).toBe(ofSick)
    expect(standings.trackOf(well).standing().breaker).toBe(ofWell)
    expect(standings.trackOf(sick).begin()).toBeUndefined()
    expect(standings.trackOf(well).begin() === undefined).toBe(ofWell === 'open')
    expect(standings.trackOf(other).standing().breaker).toBe('closed')
  })

  test('is found unreachable by calls for any model, at once for all known models', () => {
    const { standings } = some()
    const failure = new Failure('unreachable', 'Gone.')
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      expect(standings.trackOf(well).standing().breaker).toBe('closed')
      end(standings, modelOf(name), failure)
    }
    expect(standings.trackOf(well).standing().breaker).toBe('open')
  })

  test('is probed by one call for any model, and healthy again when it is answered', () => {
    const { standings, clock } = some()
    for (let time = 0; time < 5; time++) end(standings, sick, new Failure('unreachable', 'Gone.'))
    clock.move(5000)
    const probe = standings.trackOf(well).begin()
    expect(probe).toBeDefined()
    expect(standings.trackOf(sick).begin()).toBeUndefined()
    expect(standings.trackOf(sick).standing().breaker).toBe('open')
    probe?.end(answered)
    expect(standings.trackOf(sick).standing().breaker).toBe('closed')
  })

  test('returns the permit of a model if the whole deployment has none', () => {
    const { standings, clock } = some()
    for (let time = 0; time < 5; time++) end(standings, sick, new Failure('upstream_error', 'No.'))
    for (let time = 0; time < 5; time++) end(standings, well, new Failure('unreachable', 'Gone.'))
    clock.move(5000)
    {
      using _probe = standings.trackOf(well).begin()
      expect(standings.trackOf(sick).begin()).toBeUndefined()
    }
    expect(standings.trackOf(sick).begin()).toBeDefined()
  })

  test('tracks speed and limits per model, and counts all together', () => {
    const { standings } = some()
    end(standings, well, undefined)
    standings
      .trackOf(sick)
      .insist()
      .end({ ...answered, firstTokenMs: 900 })
    end(standings, sick, new Failure('rate_limited', 'Slower.', { retryAfterMs: 3000 }))
    expect(standings.trackOf(well).standing()).toMatchObject({ firstTokenMs: 200, share: 1 })
    expect(standings.trackOf(sick).standing()).toMatchObject({ firstTokenMs: 900, share: 0 })
    expect(
      standings
        .snapshot()
        .map(({ id, model, attempts, limited, share }) => [...[id, model], ...[attempts, limited, share]]),
    ).toEqual([
      [one.id, undefined, 3, 1, 1],
      [one.id, 'well', 1, 0, 1],
      [one.id, 'sick', 2, 1, 0],
      [other.id, undefined, 0, 0, 1],
    ])
  })

  test('tracks a limited number of models, the most recently requested', () => {
    const { standings } = some()
    end(standings, sick, undefined)
    end(standings, well, undefined)
    for (let count = 0; count < 999; count++) standings.trackOf(modelOf(`m${count}`))
    const models = standings.snapshot().flatMap(({ model }) => model ?? [])
    expect(models).toHaveLength(1000)
    expect(models.slice(0, 2)).toEqual(['well', 'm0'])
    expect(standings.snapshot()[0]).toMatchObject({ answered: 2 })
  })

  test('keeps the state of its models when it is kept', () => {
    const { standings } = some()
    for (let time = 0; time < 5; time++) end(standings, sick, new Failure('timeout', 'Late.'))
    const renewed = standings.renewed([one.id], new Set([one.id]))
    expect(renewed.trackOf(sick).standing().breaker).toBe('open')
    const reset = standings.renewed([one.id], new Set())
    expect(reset.trackOf(sick).standing().breaker).toBe('closed')
  })
})

describe('a refusal of our key', () => {
  const refused = new Failure('upstream_auth', 'The key is not taken.', { upstreamStatus: 401 })

  test('stops calls at once, and operators see why', () => {
    const { standings } = some()
    end(standings, one, undefined)
    end(standings, one, refused)
    expect(standings.trackOf(one).standing()).toMatchObject({ breaker: 'open', successRate: 2 / 3 })
    expect(standings.snapshot()[0]).toMatchObject({ failed: 1, lastFailure: 'upstream_auth' })
  })

  test('does not count if the key was the caller’s own', () => {
    const { standings } = some()
    for (let time = 0; time < 20; time++) end(standings, one, new Failure('unauthorized', 'Not you.'))
    expect(standings.trackOf(one).standing()).toMatchObject({ breaker: 'closed', successRate: 1 })
    expect(standings.snapshot()[0]).toMatchObject({ failed: 0, lastFailure: undefined })
  })
})

describe('a deployment that was never tried', () => {
  test('counts as tried from its first attempt, and as measured once that is answered', () => {
    const { standings, clock } = some()
    const seen = () => {
      const { isUntried, isMeasured } = standings.trackOf(one).standing()
      return { isUntried, isMeasured }
    }
    expect(seen()).toEqual({ isUntried: true, isMeasured: false })
    const permit = standings.trackOf(one).insist()
    expect(seen()).toEqual({ isUntried: false, isMeasured: false })
    permit.end({ ...answered, firstTokenMs: undefined })
    expect(seen()).toEqual({ isUntried: false, isMeasured: true })
    clock.move(3_600_000)
    expect(seen()).toEqual({ isUntried: false, isMeasured: false })
    expect(standings.trackOf(one).standing().pace).toMatchObject({ answerMs: 1200 })
  })

  test('is untried again if the attempt had no outcome', () => {
    const { standings } = some()
    {
      using _permit = standings.trackOf(one).insist()
    }
    expect(standings.trackOf(one).standing().isUntried).toBe(true)
  })
})
