import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, repository, startGateway } from './acceptance/gateway-process.ts'

const page = readFileSync(join(repository, 'CONTRIBUTING.md'), 'utf8')
const [, name = '', block = ''] = /```ts\n\/\/ src\/dialects\/\w+\/(\w+)\.ts\n([\s\S]*?)```/.exec(page) ?? []

/** The source as it is with that file and one entry more: what someone has who followed the page. */
const root = mkdtempSync(join(repository, 'test/written-'))
let gateway: GatewayProcess

beforeAll(async () => {
  cpSync(join(repository, 'src'), join(root, 'src'), { recursive: true })
  cpSync(join(repository, 'package.json'), join(root, 'package.json'))
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  mkdirSync(join(root, 'src/dialects', name))
  writeFileSync(join(root, 'src/dialects', name, `${name}.ts`), block)
  const list = join(root, 'src/dialects/all.ts')
  const all = readFileSync(list, 'utf8')
  writeFileSync(
    list,
    `import { ${name} } from './${name}/${name}.ts'\n${all.replace('= [inference,', `= [${name}, inference,`)}`,
  )
  gateway = await startGateway({ startFile: join(root, 'src/start.js') })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

test('the dialect has at most thirty lines', () => {
  expect(block.trimEnd().split('\n').length).toBeLessThanOrEqual(30)
})

test('the dialect answers, whole', async () => {
  const response = await ask({ model: 'sim-echo', q: 'hi there' })
  expect(await response.json()).toEqual({ a: 'hi there' })
})

test('the dialect answers, streamed', async () => {
  const response = await ask({ model: 'sim-echo', q: 'hi there', stream: true })
  const text = await response.text()
  expect(text).toContain('data: "hi"')
  expect(text).toMatch(/data: end\n\n$/)
})

test.for<[string, RequestInit, number]>([
  ['without its field', { method: 'POST', body: '{"model":"sim-echo"}' }, 400],
  ['with no JSON', { method: 'POST', body: '{' }, 400],
  ['of another type', { method: 'POST', body: 'q', headers: { 'content-type': 'text/plain' } }, 415],
  ['by another method', { method: 'DELETE' }, 405],
])('a request %s is refused in the dialect’s own shape', async ([, init, status]) => {
  const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string>) }
  const response = await fetch(`${gateway.url}/v1/ask`, { ...init, headers })
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ error: expect.any(String) })
})

function ask(body: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
