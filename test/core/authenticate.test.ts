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

  test('every caller is admitted, and keeps its own bearer', () => {
    expect(gate.admit(undefined)).toMatchObject({
      kind: 'inference',
      name: undefined,
      credential: undefined,
    })
    expect(gate.admit('pk_theirs')).toMatchObject({ name: undefined, credential: 'pk_theirs' })
  })

  test('a caller’s own bearer is its identity', () => {
    const ids = [undefined, 'pk_one', 'pk_other'].map((bearer) => gate.admit(bearer).id)
    expect(new Set(ids).size).toBe(3)
    expect(gate.admit('pk_one').id).toBe(ids[1])
    expect(ids.join()).not.toContain('pk_')
  })

  test('every caller may manage', () => {
    for (const role of roles) expect(gate.admitManager(undefined, role).kind).toBe('management')
  })
})

describe('with keys', () => {
  const gate = withKeys(alice, bob)

  test('each is admitted under its own fingerprint, and is never forwarded', () => {
    const [one, other] = [gate.admit(alice), gate.admit(bob)]
    expect(one.name).toMatch(/^key-[0-9a-f]{8}$/)
    expect(other.name).toMatch(/^key-[0-9a-f]{8}$/)
    expect(one.name).not.toBe(other.name)
    expect(one.credential).toBeUndefined()
  })

  test('the identity is the whole digest', () => {
    expect(gate.admit(alice)).toMatchObject({ id: digestOf(alice), kind: 'inference', role: undefined })
  })

  test('a fingerprint is the same in every gateway, and reveals no four characters of its key', () => {
    const { name = '' } = withKeys(bob, alice).admit(alice)
    expect(withKeys(alice).admit(alice).name).toBe(name)
    for (let at = 0; at + 4 <= alice.length; at++) expect(name).not.toContain(alice.slice(at, at + 4))
  })

  test('a missing bearer is refused, without a code', () => {
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
    // Digests are compared; a digest itself is not a key.
    digestOf(alice),
  ])('%j is refused as incorrect, and not repeated', (bearer) => {
    expect(thrownBy(() => gate.admit(bearer))).toMatchObject({
      kind: 'unauthorized',
      code: 'invalid_api_key',
      message: 'Incorrect API key provided.',
    })
  })

  test('none of them may manage, and the error names the setting', () => {
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
  ] as const)('a key with the role %s may do what requires %j', ([role, allowed]) => {
    for (const needed of roles) {
      const asked = () => gate.admitManager(keyOf(role), needed)
      if ((allowed as readonly Role[]).includes(needed)) {
        expect(asked()).toMatchObject({ kind: 'management', role, credential: undefined })
      } else expect(thrownBy(asked)).toMatchObject({ kind: 'forbidden', status: 403 })
    }
  })

  test('none of them may make calls, with or without inference keys', () => {
    for (const each of [gate, createAuthenticator({ keys: [], adminKeys })]) {
      for (const role of roles) {
        expect(thrownBy(() => each.admit(keyOf(role)))).toMatchObject({ kind: 'unauthorized' })
      }
    }
  })

  test('without inference keys, calls stay open, and managing does not', () => {
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
