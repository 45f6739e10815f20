import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, fetch as fetchWith } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, shellEnvironment, startChild } from '../acceptance/child.ts'
import { type GatewayProcess, startGateway } from '../acceptance/gateway-process.ts'
import { missingTool, runTool } from './tools.ts'

const directory = mkdtempSync(join(tmpdir(), 'gateway-proxies-'))
const certificates = new URL('../chaos/certificates/', import.meta.url).pathname
const nginx = readFileSync('deploy/nginx/gateway.conf', 'utf8')
const caddy = readFileSync('deploy/caddy/Caddyfile', 'utf8')

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGateway({ environment: { TRUST_PROXY: '1' } })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

describe('what stands in front does not buffer streams', () => {
  test.skipIf(missingTool('nginx'))('nginx (skipped where there is none)', async () => {
    const port = await freePort()
    const site = nginx
      .replace('server 127.0.0.1:8000;', `server ${new URL(gateway.url).host};`)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace('/etc/nginx/tls/llm.example.com.crt', join(certificates, 'sound.pem'))
      .replace('/etc/nginx/tls/llm.example.com.key', join(certificates, 'key.pem'))
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(directory, name))
    const paths = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(directory, name)};`,
    )
    const http = `access_log off; client_body_temp_path ${join(directory, 'body')}; ${paths.join(' ')}`
    const file = join(directory, 'nginx.conf')
    const head = `daemon off; master_process off; pid ${join(directory, 'nginx.pid')}; error_log stderr warn; events {}`
    writeFileSync(file, `${head}\nhttp { ${http}\n${site} }`)
    expect(await runTool('nginx', ['-t', '-q', '-c', file])).toMatchObject({ code: 0 })
    await streamsThrough(startChild('nginx', ['-c', file], { environment: shellEnvironment() }), port)
  })

  test.skipIf(missingTool('caddy'))('Caddy (skipped where there is none)', async () => {
    const port = await freePort()
    const text = caddy
      .replace(
        'llm.example.com {',
        `https://127.0.0.1:${port} {\n\ttls ${join(certificates, 'sound.pem')} ${join(certificates, 'key.pem')}`,
      )
      .replace('reverse_proxy 127.0.0.1:8000', `reverse_proxy ${new URL(gateway.url).host}`)
    const file = join(directory, 'Caddyfile')
    writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${text}`)
    const environment = {
      ...shellEnvironment(),
      HOME: directory,
      XDG_DATA_HOME: directory,
      XDG_CONFIG_HOME: directory,
    }
    const words = ['--config', file, '--adapter', 'caddyfile']
    expect(await startChild('caddy', ['validate', ...words], { environment }).ended).toMatchObject({
      code: 0,
    })
    await streamsThrough(startChild('caddy', ['run', ...words], { environment }), port)
  })
})

/** The first words of an answer arrive while its last are still far off. */
async function streamsThrough(proxy: Child, port: number): Promise<void> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(join(certificates, 'authority.pem'), 'utf8') } })
  const body = { model: 'sim-long-40-drip-100', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    dispatcher,
  }
  try {
    await listening(port)
    const response = await fetchWith(`https://127.0.0.1:${port}/v1/chat/completions`, options)
    expect(response.status).toBe(200)
    const pieces: string[] = []
    for await (const piece of response.body ?? []) pieces.push(Buffer.from(piece).toString())
    expect(pieces.join('')).toMatch(/data: \[DONE\]\n\n$/)
    // Held back, they would come as one or two.
    expect(pieces.length).toBeGreaterThan(20)
  } finally {
    await dispatcher.close()
    proxy.kill()
    await proxy.ended
  }
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const { connect } = await import('node:net')
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
