import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page, Request } from 'playwright-core'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { inTest, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'
import { makeDirectory } from '../ledger/directory.ts'
import { browserPath, type Look, openPage } from './browser.ts'

/** Why no page can be looked at on this machine; undefined: they can. */
export const noBrowser = browserPath === undefined ? 'there is no Chromium here' : undefined

export const adminKey = 'a-management-key-for-admins'
export const readKey = 'a-management-key-for-readers'
export const callerKey = 'a-key-for-calls-and-no-more'

/** Two simulators and a third that fails, a key with a budget, a team, and a budget of the gateway. */
export const usualFile = `server:
  port: 0
auth:
  keys:
    - key: ${callerKey}
      name: web
      team: core
      budgets:
        - limitUsd: 0.02
          window: day
  adminKeys:
    - { key: ${adminKey}, role: admin }
    - { key: ${readKey}, role: read }
teams:
  core:
    budgets:
      - limitUsd: 5
        window: month
budgets:
  gateway:
    - limitUsd: 50
      window: month
providers:
  one: { type: simulator }
  two: { type: simulator }
models:
  llama-3.3-70b:
    route: fallback
    deployments:
      - { provider: one, model: sim-echo, price: { input: 0.6, output: 0.9 } }
      - { provider: two, model: sim-echo, price: { input: 0.9, output: 1.2 } }
  talker:
    route: first
    deployments:
      - { provider: two, model: sim-long-30, price: { input: 0.9, output: 1.2 } }
`

export type Stage = AsyncDisposable & {
  readonly gateway: TestGateway
  /** A page of the console, signed in with this key; undefined: not signed in. */
  open(path: string, options?: Look & { readonly key?: string | undefined }): Promise<OpenPage>
  call(model: string): Promise<Response>
  admin(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ readonly data: Readonly<Record<string, unknown>> }>
  reload(file: string): void
}

export type OpenPage = {
  readonly page: Page
  /** What it asked the gateway for, its own files apart. */
  readonly asked: readonly string[]
  /** Rejects where the browser complained of something, that apart which was to be refused, or axe does. */
  isSound(expected?: RegExp): Promise<void>
}

/** Without a file, nothing is configured at all. */
export async function startStage(browser: Browser, file = usualFile): Promise<Stage> {
  const directory = await makeDirectory()
  const load = (text: string) => {
    const config = loadConfig({ environment: {}, readFile: text === '' ? noFile : onlyFile(text), providers })
    return inTest({ ...config, dataDirectory: directory.path, isDataDirectoryGiven: true })
  }
  const gateway = await startTestGateway(load(file))
  const pages: Page[] = []
  return {
    gateway,
    async open(path, { key = adminKey, ...look } = {}) {
      const { page, complaints } = await openPage(browser, gateway.url, look)
      pages.push(page)
      page.setDefaultTimeout(150_000)
      const asked: string[] = []
      page.on('request', (request) => asked.push(...ownPathOf(request)))
      if (file !== '') await signIn(page, key)
      asked.length = 0
      await page.goto(path)
      return {
        ...{ page, asked },
        async isSound(expected) {
          const told = complaints.filter((complaint) => expected?.test(complaint) !== true)
          const found = [...(await violationsOn(page)), ...told]
          if (found.length > 0) throw new Error(JSON.stringify(found, undefined, 2))
        },
      }
    },
    call: (model) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${callerKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 50 }),
      }),
    async admin(method, path, body) {
      const response = await fetch(`${gateway.url}/admin/api${path}`, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(await response.text())
      return (await response.json()) as Awaited<ReturnType<Stage['admin']>>
    },
    reload: (text) => gateway.gateway.reload(() => load(text)),
    async [Symbol.asyncDispose]() {
      await Promise.all(pages.map((page) => page.context().close()))
      await gateway[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

function noFile(path: string): string {
  throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
}

async function signIn(page: Page, key: string): Promise<void> {
  const response = await page.request.post('/admin/api/session', {
    headers: { 'x-pandotate-console': '1' },
    data: { key },
  })
  if (response.status() !== 201) throw new Error(await response.text())
}

function ownPathOf(request: Request): readonly string[] {
  const { pathname } = new URL(request.url())
  return pathname.startsWith('/console') ? [] : [`${request.method()} ${pathname}`]
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }

/** By axe, which a page under a strict policy lets in through the browser's own tools alone. */
async function violationsOn(page: Page): Promise<readonly object[]> {
  await page.evaluate(axe)
  const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Violation[]
  return violations.map(({ id, nodes }) => ({ id, html: nodes.map(({ html }) => html.slice(0, 200)) }))
}
