import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import { removeDirectory } from '../../harness/directory.ts'
import { type GatewayProcess, runGateway, startGateway } from '../gateway-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'gateway-listening-'))
afterAll(() => removeDirectory(directory))

const pem = (name: string) =>
  readFileSync(new URL(`../../chaos/certificates/${name}.pem`, import.meta.url), 'utf8')
const simulated = "models: { '*': { deployments: [{ provider: simulator }] } }\n"

describe('HTTPS', () => {
  test('is served, streams included, and drained like HTTP', async () => {
    const files = writePair('served', pem('sound'), pem('key'))
    await using gateway = await startGateway({ file: withTls(files) })
    expect(gateway.url).toMatch(/^https:/)
    // One that never says a word must not hold up the end.
    const silent = connect({
      port: Number(new URL(gateway.url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
    })
    silent.on('error', () => undefined)
    const { status, text } = await askSecurely(gateway.url, { model: 'sim-echo', stream: true, messages })
    expect(status).toBe(200)
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
  })

  test('a renewed certificate is shown without a restart; one that does not fit its key changes nothing', async () => {
    const files = writePair('renewed', pem('sound'), pem('key'))
    await using gateway = await startGateway({ file: withTls(files) })
    expect(await nameShownBy(gateway)).toBe('sound')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const refused = await outcome(gateway, 'refused')
    expect(JSON.stringify(refused)).toContain(
      'server.tls: cannot be used, expected a certificate and its key',
    )
    expect(JSON.stringify(refused)).not.toContain('PRIVATE')
    expect(await nameShownBy(gateway)).toBe('sound')
    writeFileSync(files.cert, pem('other-host'))
    writeFileSync(files.key, pem('key'))
    await outcome(gateway, 'was applied')
    expect(await nameShownBy(gateway)).toBe('other-host')
  })

  test('a file that is not there is refused before anything listens', async () => {
    const file = withTls({ cert: join(directory, 'none.crt'), key: join(directory, 'none.key') })
    const { code, stderr } = await runGateway(['check'], { file })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /server\.tls\.cert: found ".*none\.crt", expected the path of a file that can be read/,
    )
  })

  test('check says whose certificate it is, and how long it holds', async () => {
    const file = withTls(writePair('checked', pem('sound'), pem('key')))
    const { stdout } = await runGateway(['check'], { file })
    expect(stdout).toContain('for IP Address:127.0.0.1 until Jan  1 00:00:00 2119 GMT')
    expect(stdout).not.toContain('BEGIN')
  })
})

describe('a Unix socket', () => {
  test('is served as an address, and is gone when the gateway is', async () => {
    const path = join(directory, 'gateway.sock')
    const gateway = await startGateway({ environment: { HOST: `unix:${path}` } })
    expect(gateway.url).toBe(`unix:${path}`)
    expect(gateway.stderr()).toContain(`curl --unix-socket ${path} http://localhost/inference`)
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest({ socketPath: path, path: '/readyz' }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.on('error', reject)
      request.end()
    })
    expect(status).toBe(200)
    await gateway[Symbol.asyncDispose]()
    expect(existsSync(path)).toBe(false)
  })
})

describe('a secret in a file', () => {
  test('is read again when the file changes', async () => {
    const path = join(directory, 'key')
    writeFileSync(path, 'sk-the-first-of-the-keys\n')
    const file = `auth: { keys: ['\${GATEWAY_KEY}'] }\n${simulated}`
    await using gateway = await startGateway({ file, environment: { GATEWAY_KEY_FILE: path } })
    expect(await statusWith(gateway, 'sk-the-first-of-the-keys')).toBe(200)
    writeFileSync(path, 'sk-the-second-of-the-keys\n')
    await outcome(gateway, 'was applied')
    expect(await statusWith(gateway, 'sk-the-first-of-the-keys')).toBe(401)
    expect(await statusWith(gateway, 'sk-the-second-of-the-keys')).toBe(200)
    expect(gateway.stdout()).not.toContain('sk-the')
  })
})

const messages = [{ role: 'user', content: 'Hello' }]

type Files = { readonly cert: string; readonly key: string }

function writePair(name: string, cert: string, key: string): Files {
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}

function withTls({ cert, key }: Files): string {
  return `server: { tls: { cert: '${cert}', key: '${key}' } }\n${simulated}`
}

function askSecurely(url: string, body: object): Promise<{ status: number | undefined; text: string }> {
  const headers = { 'content-type': 'application/json' }
  const options = { method: 'POST', headers, ca: pem('authority'), agent: false as const }
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${url}/v1/chat/completions`, options, async (response) => {
      const text = (await response.toArray()).join('')
      resolve({ status: response.statusCode, text })
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

function nameShownBy({ url }: GatewayProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(url)
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      const { subject }: DetailedPeerCertificate = socket.getPeerCertificate(true)
      socket.destroy()
      resolve(subject.CN)
    })
    socket.on('error', reject)
  })
}

async function statusWith({ url }: GatewayProcess, key: string): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const body = JSON.stringify({ model: 'sim-echo', messages })
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  await response.text()
  return response.status
}

function outcome(gateway: GatewayProcess, words: string) {
  return gateway.line(({ msg }) => msg.startsWith('the configuration') && msg.includes(words))
}
