import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Router as ModelRouter } from '../../core/plan/router.ts'
import { sendJson, sendText } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { redirectToConsole } from './console.ts'
import { curlExample, type ExampleCall, exampleModel, sdkExample } from './example-call.ts'

export type HomeParts = {
  readonly gateway: Pick<Gateway, 'models' | 'deployments'>
  readonly router: Pick<ModelRouter, 'routeOf'>
  readonly gate: Authenticator
  readonly version: string
  readonly demo: boolean
  /** Further links on the page, beside the fixed ones. */
  readonly links?: readonly Link[] | undefined
  /** Undefined: the console is disabled. */
  readonly console?: object | undefined
}

export type Link = { readonly path: string; readonly text: string }

/**
 * `GET /`: the gateway's name, its models with their health, and an example call. The answer is a page for clients that
 * accept HTML, otherwise JSON. Browsers are redirected to the console if it is enabled. If keys are configured,
 * visitors without one see only how to authenticate.
 */
export function serveHome(router: Router, parts: HomeParts): void {
  router.get('/', (ctx) => {
    const isPage = ctx.accepts('json', 'html') === 'html'
    if (isPage && parts.console !== undefined) return redirectToConsole(ctx)
    const isKnown = isAdmitted(ctx, parts.gate)
    const shown = isKnown ? contentOf(ctx, parts) : undefined
    const headers = ['x-request-id', ctx.state['requestId'] as string, 'vary', 'accept, authorization']
    ctx.respond = false
    if (!isPage) {
      sendJson(ctx.req, ctx.res, 200, bodyOf(shown, parts), headers)
      return
    }
    const policy = [
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ]
    sendText(ctx.req, ctx.res, 200, pageOf(shown, parts), [...headers, ...policy], 'text/html; charset=utf-8')
  })
}

function isAdmitted({ req }: Context, gate: Authenticator): boolean {
  try {
    gate.admit(apiKeyOf(req))
    return true
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return false
  }
}

type Content = {
  readonly models: readonly HomeModel[]
  readonly more: number
  readonly example: ExampleCall
}
type HomeModel = { readonly id: string; readonly provider: string; readonly isHealthy: boolean }

function contentOf(ctx: Context, { gateway, router, gate }: HomeParts): Content {
  const failing = new Set(
    gateway.deployments().flatMap(({ id, breaker }) => (breaker === 'open' ? [id] : [])),
  )
  const isHealthy = (model: string) => router.routeOf(model).deployments.some(({ id }) => !failing.has(id))
  const models = gateway.models()
  const scheme = 'encrypted' in ctx.req.socket ? 'https' : 'http'
  return {
    models: models
      .slice(0, mostModels)
      .map(({ id, ownedBy }) => ({ id, provider: ownedBy, isHealthy: isHealthy(id) })),
    more: Math.max(0, models.length - mostModels),
    example: {
      origin: `${scheme}://${ctx.req.headers.host ?? 'localhost'}`,
      model: exampleModel(models, isHealthy),
      needsKey: gate.asksForKeys(),
    },
  }
}

const mostModels = 200

const product = 'Pandotate Gateway'

function bodyOf(content: Content | undefined, { version, demo }: HomeParts): JsonObject {
  if (content === undefined) return { name: product, authentication: howToAuthenticate }
  const { models, example } = content
  return {
    name: product,
    version,
    simulator: demo,
    needs_key: example.needsKey,
    models: models.map(({ id, provider, isHealthy }) => ({ id, provider, healthy: isHealthy })),
    links: { models: '/v1/models', health: '/health', metrics: '/metrics' },
  }
}

const howToAuthenticate = "Send one of this gateway's keys: Authorization: Bearer KEY"

function pageOf(content: Content | undefined, parts: HomeParts): string {
  const inner = content === undefined ? `<p>${escaped(howToAuthenticate)}</p>` : contentPage(content, parts)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${product}</title><style>${style}</style></head>
<body><h1>${product}</h1>
${inner}
</body></html>
`
}

function contentPage({ models, more, example }: Content, { version, demo, links = [] }: HomeParts): string {
  const what = demo
    ? 'No upstream is configured, so the built-in <strong>simulator</strong> generates the answers.'
    : 'Calls go to the configured upstreams.'
  const rows = models.map(
    ({ id, provider, isHealthy }) =>
      `<tr><td><code>${escaped(id)}</code></td><td>${escaped(provider)}</td><td>${isHealthy ? 'healthy' : 'failing'}</td></tr>`,
  )
  const rest = more > 0 ? `<p>And ${more} more: <a href="/v1/models">/v1/models</a></p>` : ''
  const none = '<p>No model is known by name. The routes accept any model of their providers.</p>'
  const table = `<table><tr><th>Model</th><th>Provider</th><th>Health</th></tr>\n${rows.join('\n')}</table>${rest}`
  const key = example.needsKey
    ? '<p>A call needs a key of this gateway, here in <code>GATEWAY_KEY</code>.</p>'
    : ''
  const all = [...links, ...fixedLinks].map(({ path, text }) => `<a href="${path}">${escaped(text)}</a>`)
  return `<p>One OpenAI-compatible URL in front of every open-weight model. Version ${escaped(version)}. ${what}</p>
<h2>Try it</h2>
${key}<pre>${escaped(curlExample(example))}</pre>
<pre>${escaped(sdkExample(example))}</pre>
<h2>Models</h2>
${rows.length === 0 ? none : table}
<p>${all.join(' · ')}</p>
<p>Documentation: README.md and docs/ in the gateway's package or repository.</p>`
}

const fixedLinks: readonly Link[] = [
  { path: '/v1/models', text: 'Models' },
  { path: '/health', text: 'Health' },
  { path: '/metrics', text: 'Metrics' },
]

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}' +
  'pre{background:#f3f3f5;padding:1rem;overflow:auto;font-size:14px}' +
  'td,th{text-align:left;padding:.2rem 1.5rem .2rem 0}h2{margin-top:2rem}'

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
