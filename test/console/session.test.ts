import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

const admin = 'a-management-key-for-admins'
const reader = 'a-management-key-for-readers'
const scraper = 'a-management-key-for-metrics'
const caller = 'a-key-for-calls-and-no-more'
const keys = {
  keys: [caller],
  adminKeys: [
    { key: admin, role: 'admin' as const },
    { key: reader, role: 'read' as const },
    { key: scraper, role: 'metrics' as const },
  ],
}
const own = { 'x-pandotate-console': '1', 'content-type': 'application/json' }
const path = '/admin/api/session'

describe('the console', () => {
  test('is one document under every path, which nothing frames and which runs no inline script', async () => {
    await using gateway = await startTestGateway()
    const pages = await Promise.all(
      ['/console', '/console/calls', '/console/calls/req_1?status=failed'].map((page) =>
        fetch(gateway.url + page),
      ),
    )
    const texts = await Promise.all(pages.map((page) => page.text()))
    expect(new Set(texts).size).toBe(1)
    const policy = pages[0]?.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(texts[0]).not.toMatch(/<script(?![^>]* src=)|<style|style=| on\w+=/)
  })

  test('is found with a slash at the end of its address', async () => {
    await using gateway = await startTestGateway()
    const page = await fetch(`${gateway.url}/console/`)
    expect([page.status, new URL(page.url).pathname]).toEqual([200, '/console'])
  })

  test('is under 100 kB in all, compressed, in files whose names change with what is in them', async () => {
    await using gateway = await startTestGateway()
    const page = await (await fetch(`${gateway.url}/console`)).text()
    const assets = [...page.matchAll(/\/console\/assets\/[\w.-]+/g)].map(([name]) => name)
    expect(assets).toHaveLength(3)
    let bytes = 0
    for (const asset of assets) {
      const response = await fetch(gateway.url + asset)
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toContain('immutable')
      expect(response.headers.get('content-encoding')).toBe('gzip')
      bytes += Number(response.headers.get('content-length'))
      const plain = await fetch(gateway.url + asset, { headers: { 'accept-encoding': 'identity' } })
      expect(plain.headers.get('content-encoding')).toBeNull()
      expect(await plain.text()).toBe(await response.text())
    }
    expect(bytes).toBeLessThan(100_000)
    expect((await fetch(`${gateway.url}/console/assets/main-OLD.js`)).status).toBe(404)
  })

  test('is where a browser is led that opens the root', async () => {
    await using gateway = await startTestGateway()
    const response = await fetch(gateway.url, { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, '/console'])
  })

  test('is gone where it is turned off', async () => {
    await using gateway = await startTestGateway({ console: { enabled: false } })
    for (const gone of ['/console', '/console/calls', path]) {
      expect((await fetch(gateway.url + gone)).status).toBe(404)
    }
  })
})

describe('a session', () => {
  test('is opened with a management key, works for the admin API, and ends with signing out', async () => {
    await using gateway = await startTestGateway(keys)
    const { response, cookie } = await signIn(gateway.url, admin)
    expect(response.status).toBe(201)
    expect(await response.json()).toMatchObject({ signed_in: true, open: false, role: 'admin' })
    const told = response.headers.get('set-cookie')
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/admin', 'Expires='])
      expect(told).toContain(part)
    expect(told).not.toContain('Secure')
    expect(told).not.toContain(admin)
    const list = () => fetch(`${gateway.url}/admin/api/keys`, { headers: { cookie } })
    expect((await list()).status).toBe(200)
    await fetch(gateway.url + path, { method: 'DELETE', headers: { cookie, ...own } })
    const after = await list()
    expect(after.status).toBe(401)
    expect(await after.json()).toMatchObject({ error: { code: 'session_over' } })
  })

  test('is Secure behind TLS', async () => {
    await using gateway = await startTestGateway(keys)
    const { response } = await signIn(gateway.url, admin, { 'x-forwarded-proto': 'https' })
    expect(response.headers.get('set-cookie')).toContain('; Secure')
  })

  test.for<[string, string, number]>([
    ['a key for calls', caller, 401],
    ['a key that is none', 'no-key-of-this-gateway', 401],
    ['a key for metrics alone', scraper, 403],
    ['nothing', '', 400],
  ])('is not opened with %s', async ([, key, status]) => {
    await using gateway = await startTestGateway(keys)
    const { response } = await signIn(gateway.url, key)
    expect(response.status).toBe(status)
    expect(response.headers.get('set-cookie')).toBeNull()
  })

  test('does what the role of its key may do', async () => {
    await using gateway = await startTestGateway(keys)
    const { cookie } = await signIn(gateway.url, reader)
    const make = { method: 'POST', headers: { cookie, ...own }, body: JSON.stringify({ name: 'a' }) }
    expect((await fetch(`${gateway.url}/admin/api/keys`, make)).status).toBe(403)
    const info = await fetch(gateway.url + path, { headers: { cookie } })
    expect(await info.json()).toMatchObject({ signed_in: true, role: 'read' })
  })

  test('ends with its key', async () => {
    await using gateway = await startTestGateway(keys)
    const bearer = { authorization: `Bearer ${admin}`, ...own }
    const body = JSON.stringify({ name: 'for a while', kind: 'management', role: 'read' })
    const made = await fetch(`${gateway.url}/admin/api/keys`, { method: 'POST', headers: bearer, body })
    const { key, data } = (await made.json()) as { key: string; data: { hash: string } }
    const { cookie } = await signIn(gateway.url, key)
    const list = () => fetch(`${gateway.url}/admin/api/keys`, { headers: { cookie } })
    expect((await list()).status).toBe(200)
    await fetch(`${gateway.url}/admin/api/keys/${data.hash}`, { method: 'DELETE', headers: bearer })
    expect((await list()).status).toBe(401)
  })

  test.for<[string, Record<string, string>]>([
    ['without the header of the console', { 'content-type': 'application/json' }],
    ['from a page of another origin', { ...own, origin: 'https://elsewhere.example' }],
    ['from a page of another port', { ...own, origin: 'http://127.0.0.1:1' }],
    ['from a page that hides its origin', { ...own, origin: 'null' }],
  ])('changes nothing %s', async ([, headers]) => {
    await using gateway = await startTestGateway({
      ...keys,
      cors: { origins: ['https://elsewhere.example'] },
    })
    const { cookie } = await signIn(gateway.url, admin)
    const body = JSON.stringify({ name: 'a' })
    const ask = { method: 'POST', headers: { cookie, ...headers }, body }
    expect((await fetch(`${gateway.url}/admin/api/keys`, ask)).status).toBe(403)
    expect((await fetch(gateway.url + path, { ...ask, body: JSON.stringify({ key: admin }) })).status).toBe(
      403,
    )
    expect((await fetch(gateway.url + path, { method: 'DELETE', headers: ask.headers })).status).toBe(403)
    expect((await fetch(gateway.url + path, { headers: { cookie } })).status).toBe(200)
  })

  test('does not pay for calls', async () => {
    await using gateway = await startTestGateway(keys)
    const { cookie } = await signIn(gateway.url, admin)
    const body = JSON.stringify({ model: 'sim-echo', messages: [{ role: 'user', content: 'x' }] })
    const call = { method: 'POST', headers: { cookie, ...own }, body }
    expect((await fetch(`${gateway.url}/v1/chat/completions`, call)).status).toBe(401)
  })

  test('is braked as keys are, where many are guessed', async () => {
    await using gateway = await startTestGateway(keys)
    const tries = await Promise.all(
      Array.from({ length: 120 }, (_, at) => signIn(gateway.url, `guess-${at}`)),
    )
    expect(tries.map(({ response }) => response.status)).toContain(429)
  })

  test('is not needed where nothing is configured: then one may look', async () => {
    await using gateway = await startTestGateway()
    const response = await fetch(gateway.url + path)
    expect(await response.json()).toMatchObject({ signed_in: true, open: true, role: 'read', name: null })
  })

  test('tells who is not signed in nothing else', async () => {
    await using gateway = await startTestGateway(keys)
    expect(await (await fetch(gateway.url + path)).json()).toEqual({ signed_in: false })
    const garbage = { cookie: `pandotate_console=${'x'.repeat(43)}` }
    expect(await (await fetch(gateway.url + path, { headers: garbage })).json()).toEqual({ signed_in: false })
  })
})

async function signIn(url: string, key: string, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...own, ...headers },
    body: JSON.stringify({ key }),
  })
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  return { response, cookie }
}
