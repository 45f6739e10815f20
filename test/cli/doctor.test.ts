import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { type Exit, startChild } from '../acceptance/child.ts'
import { startFaster, startFile, startGateway } from '../acceptance/gateway-process.ts'

const servers = new Set<Server | HttpServer>()
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-doctor-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
afterAll(() => {
  for (const server of servers) server.close()
})

test('all is well with nothing configured', async () => {
  const { code, stdout } = await diagnose('', {})
  expect(code).toBe(0)
  expect(stdout).toContain('ok     configuration')
  expect(stdout).toMatch(/ok {5}address: 127\.0\.0\.1:0 is free/)
  expect(stdout).toContain(' 0 bad.')
})

test('a configuration that is wrong is reported line by line', async () => {
  const { code, stdout } = await diagnose('strict: maybe\nlimits: { fanOut: none }\n')
  expect(code).toBe(1)
  expect(stdout).toContain('BAD    configuration: gateway.yaml:1: strict')
  expect(stdout).toContain('BAD    configuration: gateway.yaml:2: limits.fanOut')
  expect(stdout).toContain(' 2 bad.')
})

test('each provider is asked for its models: the one that lists them, that rejects the key, that is not there', async () => {
  const good = await serve((_request, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end('{"object":"list","data":[{"id":"a"},{"id":"b"}]}')
  })
  const refusing = await serve((_request, response) =>
    response.writeHead(401).end('{"error":{"message":"no"}}'),
  )
  const gone = await serve(() => undefined)
  await new Promise((resolve) => closing(gone).close(resolve))
  const { code, stdout } = await diagnose(
    `
providers:
  good: { type: openai-compatible, baseUrl: 'http://127.0.0.1:${good}/v1', apiKey: a-key-of-length }
  refusing: { type: openai-compatible, baseUrl: 'http://127.0.0.1:${refusing}/v1', apiKey: a-key-of-length }
  gone: { type: openai-compatible, baseUrl: 'http://127.0.0.1:${gone}/v1' }
  idle: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1' }
models: { a: { deployments: [{ provider: good }, { provider: refusing }, { provider: gone }] } }
`,
  )
  expect(code).toBe(1)
  expect(stdout).toContain('ok     provider good: answers, and lists 2 models')
  expect(stdout).toContain('BAD    provider refusing: rejects the key')
  expect(stdout).toContain('BAD    provider gone: cannot be reached')
  // Nothing goes there.
  expect(stdout).not.toContain('idle')
  expect(stdout).not.toContain('a-key-of-length')
  expect(stdout).toContain('ok     clock: agrees with 127.0.0.1')
})

test('a clock that is wrong is noticed by what a provider tells', async () => {
  const port = await serve((_request, response) => {
    const date = new Date(Date.now() - 3_600_000).toUTCString()
    response
      .setHeader('date', date)
      .setHeader('content-type', 'application/json')
      .end('{"object":"list","data":[]}')
  })
  const { stdout } = await diagnose(yamlFor(port))
  expect(stdout).toMatch(/look {3}clock: 36\d\d s ahead of 127\.0\.0\.1:\d+\n +Synchronize the clock by NTP/)
})

test('an address is free, a gateway’s, or taken by another', async () => {
  await using gateway = await startGateway()
  const { port } = new URL(gateway.url)
  expect((await diagnose('', { PORT: port })).stdout).toContain(
    `ok     address: a gateway is running on 127.0.0.1:${port}`,
  )
  const other = String(await serve((_request, response) => response.end('hello')))
  const { code, stdout } = await diagnose('', { PORT: other })
  expect(code).toBe(1)
  expect(stdout).toContain(`BAD    address: 127.0.0.1:${other} is in use by another program`)
})

test('a file with secrets that others can read is noticed, one without any is not', async () => {
  writeFileSync(join(directory, '.env'), 'SOME_API_KEY=abcdefghijklmnop\n')
  chmodSync(join(directory, '.env'), 0o644)
  const { stdout } = await diagnose(yamlFor(1).replace('apiKey: a-key', `apiKey: '\${SOME_API_KEY}'`))
  expect(stdout).toContain('look   file: .env contains secrets, and other users can read it (644)')
  expect(stdout).toContain('chmod 600 .env')
  expect(stdout).toContain('ok     file: only this user can read gateway.yaml')
  expect(stdout).not.toContain('abcdefghijklmnop')
})

test('Postgres is known by its first word', async () => {
  const postgres = createServer((socket) => socket.once('data', () => socket.end('N')))
  const port = await listening(postgres)
  const other = await serve((_request, response) => response.end('hello'))
  const url = (at: number) => ({ DATABASE_URL: `postgres://gateway:secret-word@127.0.0.1:${at}/gateway` })
  expect((await diagnose('', url(port))).stdout).toContain(
    `ok     DATABASE_URL: Postgres answers at 127.0.0.1:${port}`,
  )
  const { code, stdout } = await diagnose('', url(other))
  expect(code).toBe(1)
  expect(stdout).toContain('is not Postgres')
  expect(stdout).not.toContain('secret-word')
})

function yamlFor(port: number): string {
  return `
providers: { one: { type: openai-compatible, baseUrl: 'http://127.0.0.1:${port}/v1', apiKey: a-key } }
models: { a: { deployments: [{ provider: one }] } }
`
}

function diagnose(yaml: string, environment: Record<string, string> = {}): Promise<Exit> {
  if (yaml !== '') writeFileSync(join(directory, 'gateway.yaml'), yaml)
  const { PATH = '' } = process.env
  const given = { PATH, ...startFaster, HOST: '127.0.0.1', PORT: '0', ...environment }
  return startChild(process.execPath, [startFile, 'doctor'], { cwd: directory, environment: given }).ended
}

type Listener = Parameters<typeof createHttpServer>[1]

function serve(listener: Listener): Promise<number> {
  return listening(createHttpServer(listener as never))
}

async function listening(server: Server | HttpServer): Promise<number> {
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function closing(port: number): Server | HttpServer {
  const found = servers.values().find((server) => (server.address() as AddressInfo | null)?.port === port)
  if (found === undefined) throw new Error(`Nothing listens on ${port}.`)
  servers.delete(found)
  return found
}
