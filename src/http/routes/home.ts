import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Router as ModelRouter } from '../../core/plan/router.ts'
import { sendJson, sendText } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { curlExample, type ExampleCall, exampleModel, sdkExample } from './example-call.ts'

export type HomeParts = {
  readonly gateway: Pick<Gateway, 'models' | 'deployments'>
  readonly router: Pick<ModelRouter, 'routeOf'>
  readonly gate: Authenticator
  readonly version: string
  readonly demo: boolean
  /** Further links of the page, besides the fixed ones. */
  readonly links?: readonly Link[] | undefined
  /** Undefined: there is none. */
  readonly console?: object | undefined
}

export type Link = { readonly path: string; readonly text: string }

/**
 * `GET /`: what this is, its models and their health, and a call that works here, as a page for those who accept HTML,
 * else as JSON. Browsers are redirected to the console if there is one. If keys are configured, visitors without one
 * see only how to authenticate.
 */
export function serveHome(router: Router, parts: HomeParts): void {
  router.get('/', (ctx) => {
    const isPage = ctx.accepts('json', 'html') === 'html'
    if (isPage && parts.console !== undefined) return leadToConsole(ctx)
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

function leadToConsole(ctx: Context): void {
  ctx.respond = false
  const headers = ['x-request-id', ctx.state['requestId'] as string, 'vary', 'accept']
  ctx.res.writeHead(302, [...headers, 'location', '/console', 'cache-control', 'no-store']).end()
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
  readonly models: readonly ShownModel[]
  readonly more: number
  readonly example: ExampleCall
}
type ShownModel = { readonly id: string; readonly provider: string; readonly isWell: boolean }

function contentOf(ctx: Context, { gateway, router, gate }: HomeParts): Content {
  const sick = new Set(gateway.deployments().flatMap(({ id, breaker }) => (breaker === 'open' ? [id] : [])))
  const isWell = (model: string) => router.routeOf(model).deployments.some(({ id }) => !sick.has(id))
  const models = gateway.models()
  const scheme = 'encrypted' in ctx.req.socket ? 'https' : 'http'
  return {
    models: models
      .slice(0, mostModels)
      .map(({ id, ownedBy }) => ({ id, provider: ownedBy, isWell: isWell(id) })),
    more: Math.max(0, models.length - mostModels),
    example: {
      origin: `${scheme}://${ctx.req.headers.host ?? 'localhost'}`,
      model: exampleModel(models, isWell),
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
    models: models.map(({ id, provider, isWell }) => ({ id, provider, healthy: isWell })),
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
    ? 'No upstream is configured: the built-in <strong>simulator</strong> makes up the answers.'
    : 'Calls go to the upstreams that are configured.'
  const rows = models.map(
    ({ id, provider, isWell }) =>
      `<tr><td><code>${escaped(id)}</code></td><td>${escaped(provider)}</td><td>${isWell ? 'healthy' : 'failing'}</td></tr>`,
  )
  const rest = more > 0 ? `<p>And ${more} more: <a href="/v1/models">/v1/models</a></p>` : ''
  const none = '<p>No model is known by name: the routes accept any model of their providers.</p>'
  const table = `<table><tr><th>Model</th><th>Provider</th><th>Health</th></tr>\n${rows.join('\n')}</table>${rest}`
  const key = example.needsKey
    ? '<p>A call needs a key of this gateway, here in <code>GATEWAY_KEY</code>.</p>'
    : ''
  const all = [...links, ...standing].map(({ path, text }) => `<a href="${path}">${escaped(text)}</a>`)
  return `<p>One OpenAI-compatible URL in front of every open-weight model. Version ${escaped(version)}. ${what}</p>
<h2>Try it</h2>
${key}<pre>${escaped(curlExample(example))}</pre>
<pre>${escaped(sdkExample(example))}</pre>
<h2>Models</h2>
${rows.length === 0 ? none : table}
<p>${all.join(' · ')}</p>
<p>Documentation: README.md and docs/, where the gateway was installed from.</p>`
}

const standing: readonly Link[] = [
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
