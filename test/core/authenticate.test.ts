import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAuthenticator } from '../../src/core/authenticate.ts'

const alice = 'gw_alice_7f3c9a'
const bob = 'gw_bob_52d1e8'

test('without keys everyone is let in, and what they bear stays theirs', () => {
  const gate = createAuthenticator([])
  expect(gate.admit(undefined)).toEqual({ principal: undefined, credential: undefined })
  expect(gate.admit('pk_theirs')).toEqual({ principal: undefined, credential: 'pk_theirs' })
})

test('with keys, each of them is let in under a fingerprint of its own, and never goes further', () => {
  const gate = createAuthenticator([alice, bob])
  const [one, other] = [gate.admit(alice), gate.admit(bob)]
  expect(one.principal).toMatch(/^key-[0-9a-f]{8}$/)
  expect(other.principal).toMatch(/^key-[0-9a-f]{8}$/)
  expect(one.principal).not.toBe(other.principal)
  expect(gate.admit(alice)).toEqual({ principal: one.principal, credential: undefined })
})

test('a fingerprint is the same in every gateway, and tells no four characters of its key', () => {
  const { principal = '' } = createAuthenticator([bob, alice]).admit(alice)
  expect(createAuthenticator([alice]).admit(alice).principal).toBe(principal)
  for (let at = 0; at + 4 <= alice.length; at++) expect(principal).not.toContain(alice.slice(at, at + 4))
})

test('no bearer is told to bring one, with no code', () => {
  expect(() => createAuthenticator([alice]).admit(undefined)).toThrow(
    expect.objectContaining({
      kind: 'unauthorized',
      code: null,
      message: expect.stringContaining("didn't provide an API key"),
    }),
  )
})

test.for([
  'gw_alice_7f3c9',
  `${alice}0`,
  alice.toUpperCase(),
  ` ${alice}`,
  '',
  'pk_theirs',
  // What is compared is a digest, and the digest itself opens nothing.
  createHash('sha256').update(alice).digest('hex'),
])('%j is told to be incorrect, and not repeated', (bearer) => {
  const gate = createAuthenticator([alice, bob])
  let told: unknown
  try {
    gate.admit(bearer)
  } catch (thrown) {
    told = thrown
  }
  expect(told).toMatchObject({
    kind: 'unauthorized',
    code: 'invalid_api_key',
    message: 'Incorrect API key provided.',
  })
})
