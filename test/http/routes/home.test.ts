import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { runShell, shellEnvironment } from '../../acceptance/child.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import { rawRequest } from '../../harness/raw-request.ts'

const key = 'a-key-of-the-gateway'
const withoutConsole = { console: { enabled: false } }
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

describe('the page at the root', () => {
  test('tells a browser what this is, and its curl command works as it stands', async () => {
    await using gateway = await startTestGateway(withoutConsole)
    const page = await pageAt(gateway.url, html)
    expect(page).toContain('<h1>Pandotate Gateway</h1>')
    expect(page).toContain('simulator')
    for (const path of ['/v1/models', '/health', '/metrics']) {
      expect(page).toContain(`href="${path}"`)
      expect((await fetch(gateway.url + path)).status).toBe(200)
    }
    const { code, stdout } = await runShell(`${examples(page)[0]} -s`)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ choices: [{ message: { role: 'assistant' } }] })
  })

  test('shows who bears no key how to authenticate, and nothing else', async () => {
    await using gateway = await startKeyed()
    const page = await pageAt(gateway.url, html)
    expect(page).toContain('Authorization: Bearer KEY')
    expect(page).not.toMatch(/only-here|away|version|curl/i)
    const response = await fetch(gateway.url, { headers: { accept: 'application/json' } })
    expect(Object.keys((await response.json()) as object)).toEqual(['name', 'authentication'])
  })

  test('shows who bears a key the models, and a call that works with it', async () => {
    await using gateway = await startKeyed()
    const page = await pageAt(gateway.url, { ...html, authorization: `Bearer ${key}` })
    expect(page).toContain('<code>only-here</code>')
    const environment = { ...shellEnvironment(), GATEWAY_KEY: key }
    const { stdout } = await runShell(`${examples(page)[0]} -s`, { environment })
    expect(JSON.parse(stdout)).toMatchObject({ model: expect.any(String), choices: [{}] })
  })

  test('is JSON for all others', async () => {
    await using gateway = await startTestGateway()
    const response = await fetch(gateway.url)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toMatchObject({
      name: 'Pandotate Gateway',
      simulator: true,
      needs_key: false,
    })
    const { status, body } = await rawRequest(gateway.url, 'HEAD', '/')
    expect({ status, body }).toEqual({ status: 200, body: '' })
  })

  test('runs no script, and takes nothing of the request for markup', async () => {
    await using gateway = await startTestGateway(withoutConsole)
    const response = await fetch(gateway.url, { headers: html })
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await response.text()).not.toContain('<script')
  })
})

describe('what is not there', () => {
  test.for<[string, string, string]>([
    ['a model', 'onyl-here', 'Did you mean only-here? GET /v1/models lists them all.'],
    ['a model like none', 'x', 'GET /v1/models lists them all.'],
  ])('%s is reported with the nearest ones: %s', async ([, model, told]) => {
    await using gateway = await startKeyed()
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] })
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect(response.status).toBe(404)
    expect(await response.text()).toContain(told)
  })

  test.for<[string, string]>([
    ['/v1/chat/completion', 'Did you mean /v1/chat/completions'],
    ['/chat/completions', 'Did you mean /v1/chat/completions'],
    ['/v1/mdoels', 'Did you mean /v1/models'],
    ['/heatlh', 'Did you mean /health?'],
  ])('the path %s is reported with the nearest one', async ([path, told]) => {
    await using gateway = await startTestGateway()
    const response = await fetch(gateway.url + path)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain(told)
  })
})

async function startKeyed() {
  const file = `
console: { enabled: false }
auth: { keys: [${key}] }
providers: { simulator: {}, away: { type: openai-compatible, baseUrl: 'http://127.0.0.1:9/v1' } }
models: { only-here: { deployments: [{ provider: simulator, model: sim-echo }] } }
`
  const environment = { GATEWAY_CONFIG: 'a.yaml' }
  const { port: _port, ...config } = loadConfig({ environment, readFile: onlyFile(file), providers })
  return await startTestGateway(config)
}

async function pageAt(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  return await response.text()
}

/** The texts of its code blocks. */
function examples(page: string): readonly string[] {
  const blocks = [...page.matchAll(/<pre>([^<]*)<\/pre>/g)]
  return blocks.map(([, text = '']) =>
    text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  )
}
