import type { Logger } from 'pino'
import { tenantRoutes } from '../../admin/all.ts'
import type { AdminRoute } from '../../admin/route.ts'
import type { Config } from '../../config.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { openBooks } from './books.ts'

/** The management API on a data directory that no gateway is using. */
export interface OfflineAdmin extends AsyncDisposable {
  /** Rejects with a Failure. */
  ask(method: string, path: string, body?: object): Promise<JsonObject>
}

/** Opens it. Rejects if another process uses the directory. */
export async function openAdmin(config: Config, log: Logger): Promise<OfflineAdmin> {
  await using opening = new AsyncDisposableStack()
  const clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const { tenants, changes, madeKey, ledger } = await openBooks(
    { ...config, isDataDirectoryGiven: true },
    clock,
    log,
    opening,
  )
  const routes = tenantRoutes({ tenants, changes, endCalls: nothing, madeKey })
  const opened = opening.move()
  return {
    async ask(method, path, body) {
      if (ledger === undefined && method !== 'GET') throw notKept(config)
      return await answer(routes, method, path, body)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function notKept({ dataDirectory }: Config): Failure {
  return new Failure(
    'conflict',
    `Nothing was changed, because ${dataDirectory} cannot be written, or the ledger is turned off: the change would be lost. Set DATA_DIR.`,
  )
}

/** A gateway that is not running has no running calls. */
function nothing(): void {}

async function answer(
  routes: readonly AdminRoute[],
  method: string,
  target: string,
  body: object = {},
): Promise<JsonObject> {
  const [path = '', query = ''] = target.split('?')
  for (const route of routes) {
    const found = route.method === method.toLowerCase() ? matched(route.path, path) : undefined
    if (found === undefined) continue
    const given: unknown = await route.handle({
      path: found,
      query: read(route.query, Object.fromEntries(new URLSearchParams(query))),
      body: read(route.body, body),
      by: 'command line',
      key: undefined,
    })
    return given as JsonObject
  }
  throw new Failure('not_found', `There is no operation ${method} ${path}.`)
}

/** The values of the parameters in braces. */
function matched(pattern: string, path: string): Record<string, string> | undefined {
  const expression = pattern.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  const groups = new RegExp(`^${expression}$`).exec(path)
  if (groups === null) return undefined
  return Object.fromEntries(
    Object.entries(groups.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]),
  )
}

function read(schema: AdminRoute['body'], value: object): Readonly<Record<string, unknown>> {
  if (schema === undefined) return {}
  const { data, error } = schema.safeParse(value)
  const [issue] = error?.issues ?? []
  if (issue !== undefined) {
    throw new Failure('invalid_request', `${issue.path.map(String).join('.')}: ${issue.message}.`)
  }
  return data as Readonly<Record<string, unknown>>
}
