import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuthenticator, type Role, roles } from '../../src/core/authenticate.ts'
import { Failure } from '../../src/core/model/failure.ts'

const alice = 'gw_alice_7f3c9a'
const bob = 'gw_bob_52d1e8'

const withKeys = (...keys: string[]) => createAuthenticator({ keys, adminKeys: [] })
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

describe('without keys', () => {
  const gate = withKeys()

  test('everyone is let in, and what they bear stays theirs', () => {
    expect(gate.admit(undefined)).toMatchObject({
      kind: 'inference',
      name: undefined,
      credential: undefined,
    })
    expect(gate.admit('pk_theirs')).toMatchObject({ name: undefined, credential: 'pk_theirs' })
  })

  test('a caller’s own bearer is who they are', () => {
    const ids = [undefined, 'pk_one', 'pk_other'].map((bearer) => gate.admit(bearer).id)
    expect(new Set(ids).size).toBe(3)
    expect(gate.admit('pk_one').id).toBe(ids[1])
    expect(ids.join()).not.toContain('pk_')
  })

  test('everyone may manage', () => {
    for (const role of roles) expect(gate.admitManager(undefined, role).kind).toBe('management')
  })
})

describe('with keys', () => {
  const gate = withKeys(alice, bob)

  test('each of them is let in under a fingerprint of its own, and never goes further', () => {
    const [one, other] = [gate.admit(alice), gate.admit(bob)]
    expect(one.name).toMatch(/^key-[0-9a-f]{8}$/)
    expect(other.name).toMatch(/^key-[0-9a-f]{8}$/)
    expect(one.name).not.toBe(other.name)
    expect(one.credential).toBeUndefined()
  })

  test('who it is, is the whole digest', () => {
    expect(gate.admit(alice)).toMatchObject({ id: digestOf(alice), kind: 'inference', role: undefined })
  })

  test('a fingerprint is the same in every gateway, and tells no four characters of its key', () => {
    const { name = '' } = withKeys(bob, alice).admit(alice)
    expect(withKeys(alice).admit(alice).name).toBe(name)
    for (let at = 0; at + 4 <= alice.length; at++) expect(name).not.toContain(alice.slice(at, at + 4))
  })

  test('no bearer is told to bring one, with no code', () => {
    expect(() => gate.admit(undefined)).toThrow(
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
    digestOf(alice),
  ])('%j is told to be incorrect, and not repeated', (bearer) => {
    expect(thrownBy(() => gate.admit(bearer))).toMatchObject({
      kind: 'unauthorized',
      code: 'invalid_api_key',
      message: 'Incorrect API key provided.',
    })
  })

  test('none of them manages, and the setting is named', () => {
    for (const bearer of [undefined, alice, 'pk_theirs']) {
      const failure = thrownBy(() => gate.admitManager(bearer, 'metrics'))
      expect(failure).toMatchObject({ kind: 'unauthorized' })
      expect(failure.message).toContain('auth.adminKeys')
    }
  })
})

describe('with management keys', () => {
  const adminKeys = roles.map((role) => ({ key: `gw_${role}_0123456789`, role }))
  const gate = createAuthenticator({ keys: [alice], adminKeys })
  const keyOf = (role: Role) => `gw_${role}_0123456789`

  test.for([
    ['metrics', ['metrics']],
    ['read', ['metrics', 'read']],
    ['admin', ['metrics', 'read', 'admin']],
  ] as const)('one of the role %s may do what takes %j', ([role, allowed]) => {
    for (const needed of roles) {
      const asked = () => gate.admitManager(keyOf(role), needed)
      if ((allowed as readonly Role[]).includes(needed)) {
        expect(asked()).toMatchObject({ kind: 'management', role, credential: undefined })
      } else expect(thrownBy(asked)).toMatchObject({ kind: 'forbidden', status: 403 })
    }
  })

  test('none of them asks for work, with inference keys beside them or without', () => {
    for (const each of [gate, createAuthenticator({ keys: [], adminKeys })]) {
      for (const role of roles) {
        expect(thrownBy(() => each.admit(keyOf(role)))).toMatchObject({ kind: 'unauthorized' })
      }
    }
  })

  test('without inference keys, asking for work stays open, and managing does not', () => {
    const open = createAuthenticator({ keys: [], adminKeys })
    expect(open.admit(undefined).kind).toBe('inference')
    expect(thrownBy(() => open.admitManager(undefined, 'metrics'))).toMatchObject({ kind: 'unauthorized' })
  })

  test('an operator sees which one it was', () => {
    expect(gate.admitManager(keyOf('read'), 'read').name).toMatch(/^admin-[0-9a-f]{8}$/)
  })
})

function thrownBy(run: () => unknown): Failure {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown
  }
  throw new Error('It threw no Failure.')
}
