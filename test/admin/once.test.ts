import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

const one = 'pgm_admin-0123456789'
const other = 'pgm_other-0123456789'

/** The fields of answers that these tests read. */
type Body = { readonly key: string; readonly error: { readonly code: string } }

async function scene() {
  const adminKeys = [one, other].map((key) => ({ key, role: 'admin' as const }))
  const gateway = await startTestGateway({ adminKeys })
  const make = async (body: object, key: string | undefined, bearer = one, path = '/keys') => {
    const response = await fetch(`${gateway.url}/admin/api${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Body }
  }
  const count = async () => {
    const response = await fetch(`${gateway.url}/admin/api/keys`, {
      headers: { authorization: `Bearer ${one}` },
    })
    const { data } = (await response.json()) as { data: { kind: string }[] }
    return data.filter(({ kind }) => kind === 'inference').length
  }
  return { make, count, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

describe('a creation under an Idempotency-Key', () => {
  test('gives the same key once, however often it is asked for, also at the same time', async () => {
    await using setting = await scene()
    const { make, count } = setting
    const [first, second] = await Promise.all([make({ name: 'ci' }, 'a'), make({ name: 'ci' }, 'a')])
    const third = await make({ name: 'ci' }, 'a')
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201])
    expect(new Set([first, second, third].map(({ body }) => body.key))).toHaveLength(1)
    expect(await count()).toBe(1)
  })

  test('is refused with another body', async () => {
    await using setting = await scene()
    const { make, count } = setting
    await make({ name: 'ci' }, 'a')
    const refused = await make({ name: 'another' }, 'a')
    expect([refused.status, refused.body.error.code]).toEqual([422, 'idempotency_key_reused'])
    expect(await count()).toBe(1)
  })

  test('is another with another caller, another key, or none', async () => {
    await using setting = await scene()
    const { make, count } = setting
    await make({ name: 'ci' }, 'a')
    await make({ name: 'ci' }, 'a', other)
    await make({ name: 'ci' }, 'b')
    await make({ name: 'ci' }, undefined)
    expect(await count()).toBe(4)
  })

  test('that failed may be tried again', async () => {
    await using setting = await scene()
    const { make } = setting
    expect((await make({ name: 'ci', team: 'late' }, 'a')).status).toBe(400)
    expect((await make({ name: 'late' }, undefined, one, '/teams')).status).toBe(201)
    expect((await make({ name: 'ci', team: 'late' }, 'a')).status).toBe(201)
  })
})
