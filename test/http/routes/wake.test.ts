import { expect, test } from 'vitest'
import { createAuthenticator } from '../../../src/core/authenticate.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { createOpenCalls } from '../../../src/http/call/open-calls.ts'
import { serveWake, type Waker } from '../../../src/http/routes/wake.ts'
import { type Mounted, mount } from '../../harness/mounted-route.ts'

const post = { method: 'POST' }

test.for<[string, string]>([
  ['m@there', 'm@there'],
  ['m%40there', 'm@there'],
  ['org/m@there', 'org/m@there'],
  ['org%2Fm%40there', 'org/m@there'],
  ['*@there', '*@there'],
  ['a%20b@there', 'a b@there'],
  ['a%2520b@there', 'a%20b@there'],
  ['100%@there', '100%@there'],
  ['m@there/wake', 'm@there/wake'],
])('%s wakes %s', async ([encoded, id]) => {
  await using asking = await start()
  const { status, headers, body } = await asking.request(`/admin/api/deployments/${encoded}/wake`, post)
  expect(status).toBe(202)
  expect(headers.get('x-request-id')).toBe('req_of_the_question')
  expect(body).toEqual({ id, provider: 'there', woken: true })
  expect(asking.woken).toEqual([id])
})

test('a body is of no matter', async () => {
  await using asking = await start()
  expect(await asking.post('/admin/api/deployments/m@there/wake', { any: 'thing' })).toMatchObject({
    status: 202,
  })
})

test.for<[FailureKind, number]>([
  ['not_found', 404],
  ['not_implemented', 501],
  ['upstream_auth', 502],
  ['timeout', 504],
])('%s is answered with %i', async ([kind, status]) => {
  await using asking = await start(new Failure(kind, 'It would not.', { code: 'such' }))
  const answered = await asking.request('/admin/api/deployments/m@there/wake', post)
  expect(answered.status).toBe(status)
  expect(answered.body).toMatchObject({ error: { message: 'It would not.', code: 'such' } })
})

test('nobody is woken without a key, where keys are configured', async () => {
  await using asking = await start(undefined, ['sk-one'])
  const path = '/admin/api/deployments/m@there/wake'
  expect((await asking.request(path, post)).status).toBe(401)
  expect(asking.woken).toEqual([])
  const headers = { authorization: 'Bearer sk-one' }
  expect((await asking.request(path, { ...post, headers })).status).toBe(202)
})

test.for([
  ['GET', '/admin/api/deployments/m@there/wake'],
  ['POST', '/admin/api/deployments/wake'],
  ['POST', '/admin/api/deployments//wake'],
  ['POST', '/admin/api/deployments/m@there/wake/'],
])('%s %s wakes nobody', async ([method = '', path = '']) => {
  await using asking = await start()
  expect((await asking.request(path, { method })).status).toBe(404)
  expect(asking.woken).toEqual([])
})

test('a caller who leaves is waited for no longer', async () => {
  const asked = Promise.withResolvers<AbortSignal>()
  const waker: Waker = {
    async wake(_id, signal) {
      asked.resolve(signal)
      return await new Promise(() => undefined)
    },
  }
  const parts = {
    waker,
    gate: createAuthenticator({ keys: [], adminKeys: [] }),
    openCalls: createOpenCalls(),
  }
  await using mounted = await mount((router) => serveWake(router, parts))
  const leaving = new AbortController()
  const { signal } = leaving
  const answered = mounted.request('/admin/api/deployments/m@there/wake', { ...post, signal })
  const told = await asked.promise
  expect(told.aborted).toBe(false)
  leaving.abort()
  await expect(answered).rejects.toThrow()
  await new Promise<void>((resolve) => {
    if (told.aborted) resolve()
    else told.addEventListener('abort', () => resolve())
  })
  expect(told.reason).toMatchObject({ kind: 'caller_left' })
})

type Asking = Mounted & { readonly woken: readonly string[] }

async function start(failure?: Failure, keys: readonly string[] = []): Promise<Asking> {
  const woken: string[] = []
  const waker: Waker = {
    async wake(id) {
      if (failure !== undefined) throw failure
      woken.push(id)
      return { provider: 'there' }
    },
  }
  const parts = {
    waker,
    gate: createAuthenticator({ keys: [], adminKeys: keys.map((key) => ({ key, role: 'admin' })) }),
    openCalls: createOpenCalls(),
  }
  const mounted = await mount((router) => serveWake(router, parts))
  return { ...mounted, woken }
}
