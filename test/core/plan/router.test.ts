import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesPattern } from '../../../src/core/model/pattern.ts'
import type { Deployment, Route } from '../../../src/core/model/ports.ts'
import { createRouter, placesOf, planOf } from '../../../src/core/plan/router.ts'
import { routing } from '../../harness/routing.ts'
import { aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

describe('the route of a model', () => {
  const router = routing(
    [
      route('*', deployment('any')),
      route('llama-*', deployment('llama')),
      route('llama-3*', deployment('llama3')),
      route('*-instruct', deployment('instruct')),
      route('llama-3-70b', deployment('exact')),
      route('*ab', deployment('first written')),
      route('ab*', deployment('written later')),
    ],
    undefined,
  )
  const cases: [string, string][] = [
    ['llama-3-70b', 'exact'],
    ['llama-3-8b', 'llama3'],
    ['llama-2', 'llama'],
    ['llama-3-8b-instruct', 'instruct'],
    ['mistral', 'any'],
    ['', 'any'],
    ['Llama-3-70b', 'any'],
    ['ab', 'first written'],
    ['abc', 'written later'],
  ]
  test.for(cases)('%j is that of %s', ([model, owner]) => {
    expect(router.ownerOf(model)).toBe(owner)
    expect(idsOf(router.plan(model, undefined))).toEqual([`some-model@${owner}`])
  })
})

test('a plan from all candidates is the same as one from those that can get into it', () => {
  const retries = fc.oneof(
    fc.array(fc.nat(10), { minLength: 1, maxLength: 30 }),
    fc.tuple(fc.nat(10), fc.integer({ min: 1, max: 30 })).map(([each, count]) => Array(count).fill(each)),
  )
  const attempts = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })
  fc.assert(
    fc.property(retries, attempts, (list, most) => {
      const deployments = list.map((each, place) => ({
        ...deployment(`p${place}`),
        retry: { retries: each, delayMs: 0 },
      }))
      const places = placesOf(deployments, most)
      expect(planOf(deployments.slice(0, places), most)).toEqual(planOf(deployments.slice(0, 20), most))
    }),
    { seed: 1 },
  )
})

describe('a pattern', () => {
  const cases: [string, string, boolean][] = [
    ['a', 'a', true],
    ['', '', true],
    ['', '*', true],
    ['anything', '**', true],
    ['aba', 'ab*ba', false],
    ['abba', 'ab*ba', true],
    ['ab', 'ab*', true],
    ['a.b', 'a?b', false],
    ['axb', 'a.b', false],
    ['a+b', 'a+b', true],
    ['a\nb', 'a*b', true],
    ['xaybzc', '*a*b*c', true],
    ['xaybz', '*a*b*c', false],
    ['aab', '*ab', true],
    ['abab', 'ab*ab*ab', false],
  ]
  test.for(cases)('%j against %j: %o', ([name, pattern, matches]) => {
    expect(matchesPattern(name, pattern)).toBe(matches)
  })

  test('matches like the equivalent regular expression', () => {
    const letters = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 })
    fc.assert(
      fc.property(letters('ab.'), letters('ab.*'), (name, pattern) => {
        const escaped = pattern.split('*').map(RegExp.escape).join('.*')
        expect(matchesPattern(name, pattern)).toBe(new RegExp(`^${escaped}$`, 's').test(name))
      }),
      { numRuns: 2000 },
    )
  })

  // Backtracking would take practically forever.
  test('that nearly matches a hostile name in very many ways fails at once', () => {
    expect(matchesPattern('a'.repeat(50_000), `${'a*'.repeat(2000)}b`)).toBe(false)
    expect(matchesPattern(`${'ab'.repeat(50_000)}c`, `${'*a*b'.repeat(2000)}*d*c`)).toBe(false)
  })
})

describe('a plan', () => {
  const a = deployment('a', 2)
  const b = deployment('b', 0)
  const c = deployment('c', 1)

  const cases: [string, readonly Deployment[], number | undefined, string][] = [
    ['one that is never retried', [b], undefined, 'b'],
    ['one that is retried twice', [a], undefined, 'a a a'],
    ['all once, then again those that may be', [a, b, c], 9, 'a b c a c a'],
    ['in the order written', [c, b, a], 9, 'c b a c a a'],
    ['three attempts by default', [a, b, c], undefined, 'a b c'],
    ['more if one alone may be retried that often', [deployment('d', 5)], undefined, 'd d d d d d'],
    ['no more attempts than allowed', [a, b, c], 4, 'a b c a'],
    ['a single attempt', [a, b, c], 1, 'a'],
    ['fewer attempts than allowed', [b], 9, 'b'],
  ]
  test.for(cases)('is %s', ([, deployments, attempts, expected]) => {
    const plan = routing([route('m', ...deployments)], attempts).plan('m', undefined)
    expect(plan.map(({ upstream }) => upstream.name).join(' ')).toBe(expected)
  })

  test('leaves out upstreams that do not admit the caller', () => {
    const theirs = deployment('theirs', 1, (credential) => credential?.startsWith('pk_') === true)
    const router = routing([route('m', theirs, b)], undefined)
    expect(idsOf(router.plan('m', 'pk_1'))).toEqual(idsOf([theirs, b, theirs]))
    expect(idsOf(router.plan('m', 'sk_1'))).toEqual(idsOf([b]))
    expect(idsOf(router.plan('m', undefined))).toEqual(idsOf([b]))
  })

  test('of `first` is the first that admits the caller, and its retries', () => {
    const theirs = deployment('theirs', 1, (credential) => credential !== undefined)
    const router = routing([{ ...route('m', theirs, a, b), strategy: 'first' }], undefined)
    expect(idsOf(router.plan('m', 'pk_1'))).toEqual(idsOf([theirs, theirs]))
    expect(idsOf(router.plan('m', undefined))).toEqual(idsOf([a, a, a]))
  })

  describe('that would be empty because of missing keys', () => {
    const closed = (name: string, keySetting?: string, callerKey?: string) =>
      aDeployment(scriptedUpstream([[]], { name, keySetting, callerKey, admits: () => false }))
    const callers = closed('callers', 'CALLERS_API_KEY', 'pk_…')
    const ours = closed('ours', 'OURS_API_KEY')
    const mine = closed('mine', 'providers.mine.apiKey')
    const theirs = 'and the request brought none.'

    test.for<[string, readonly Deployment[], boolean, string, string]>([
      [
        'the caller’s fault if callers may bring a key',
        [callers],
        true,
        'unauthorized',
        'Set CALLERS_API_KEY, or have callers send a key of their own (pk_…) as a bearer token.',
      ],
      [
        'so even if others on the route accept only our key',
        [ours, callers, mine, ours],
        true,
        'unauthorized',
        'Set OURS_API_KEY, CALLERS_API_KEY or providers.mine.apiKey, or have callers send a key of their own (pk_…) as a bearer token.',
      ],
      [
        'the operator’s if no upstream accepts a caller’s key',
        [ours],
        true,
        'upstream_auth',
        'Set OURS_API_KEY.',
      ],
      [
        'the operator’s if callers bring keys of the gateway',
        [callers, mine],
        false,
        'upstream_auth',
        'Set CALLERS_API_KEY or providers.mine.apiKey.',
      ],
      [
        'reported by the upstream’s name if there is no setting for the key',
        [closed('odd')],
        true,
        'upstream_auth',
        'Set the key of odd.',
      ],
    ])('is %s', ([, deployments, mayBringKeys, kind, operatorNote]) => {
      const router = routing(
        [route('m', ...deployments), route('n', deployment('n'))],
        undefined,
        mayBringKeys,
      )
      const thrown = expect.objectContaining({ kind, operatorNote, provider: undefined })
      expect(() => router.plan('m', 'sk_of_a_caller')).toThrow(thrown)
    })

    test('does not reveal the configuration to the caller', () => {
      for (const mayBringKeys of [true, false]) {
        const router = routing([route('m', callers, ours)], undefined, mayBringKeys)
        const told = mayBringKeys
          ? `No upstream can take this call: the gateway has no key for it, ${theirs}`
          : 'No upstream can take this call: the gateway has no key for it.'
        expect(() => router.plan('m', undefined)).toThrow(expect.objectContaining({ message: told }))
      }
    })
  })

  test('is the same for the same input', () => {
    const router = routing([route('*', a, b, c)], undefined)
    expect(router.plan('m', undefined)).toEqual(router.plan('m', undefined))
  })
})

describe('a model without a route', () => {
  const router = routing([route('known', deployment('a')), route('also-*', deployment('a'))], undefined)

  test.for(['unknown', '', 'Known', 'known ', 'also', '__proto__', 'constructor'])('%j', (model) => {
    expect(router.ownerOf(model)).toBeUndefined()
    expect(() => router.plan(model, undefined)).toThrow(
      expect.objectContaining({ kind: 'model_not_found', param: 'model', status: 404 }),
    )
  })

  test('is named in the message, in a bounded length', () => {
    expect(() => router.plan('unknown', undefined)).toThrow('`unknown`')
    expect(() => router.plan('x'.repeat(100_000), undefined)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,300}$/) }),
    )
  })
})

test('the listed models are those of exact routes and known ones of patterns, each once, with its upstream', () => {
  const known = (name: string, ...knownModels: string[]) =>
    aDeployment(scriptedUpstream([[]], { name, knownModels }))
  const one = known('one', 'llama-3', 'llama-2', 'mistral')
  const other = known('other', 'llama-2', 'llama-9', 'taken')
  const router = routing(
    [route('fast', other, one), route('llama-*', one, other), route('*', other), route('taken', one)],
    undefined,
  )
  expect(router.models()).toEqual([
    { id: 'fast', ownedBy: 'other' },
    { id: 'llama-3', ownedBy: 'one' },
    { id: 'llama-2', ownedBy: 'one' },
    { id: 'llama-9', ownedBy: 'other' },
    { id: 'taken', ownedBy: 'one' },
  ])
})

function deployment(
  name: string,
  retries = 0,
  admits: (credential: string | undefined) => boolean = () => true,
): Deployment {
  return aDeployment(scriptedUpstream([[]], { name, admits, retry: { retries, delayMs: 1 } }))
}

function route(pattern: string, ...deployments: readonly Deployment[]): Route {
  return { pattern, strategy: 'fallback', deployments }
}

function idsOf(plan: readonly Deployment[]): readonly string[] {
  return plan.map(({ id }) => id)
}

test('an unknown model is refused with the nearest names that its caller may use, and no others', () => {
  const router = createRouter([route('red-1', deployment('a')), route('red-2', deployment('b'))])
  const asked = (allows?: (model: string) => boolean) => () => router.routeOf('red-3', allows)
  expect(asked()).toThrow(/red-1.*red-2/)
  expect(asked((model) => model === 'red-2')).toThrow(/Did you mean red-2\?/)
  expect(asked(() => false)).not.toThrow(/red-[12]/)
})
