import type { Config } from '../../../config.ts'
import { isObject } from '../../../core/model/json/json.ts'
import type { BillRow } from './bill.ts'
import { readEndpointsBill, readServerlessBill } from './runpod-bill.ts'
import { UnreadableBill } from './unreadable-bill.ts'

export type BilledEndpoint = {
  /** The provider's name in the configuration. */
  readonly name: string
  readonly endpointId: string
  readonly url: string
  readonly apiKey: string
}

/** The endpoints of a configuration whose bill can be requested. */
export function runpodsIn({ providers }: Config): readonly BilledEndpoint[] {
  return providers.flatMap(({ name, type, settings }) => {
    if (type !== 'runpod' || !isObject(settings)) return []
    const { catalogUrl, endpointId, apiKey } = settings
    if (typeof catalogUrl !== 'string' || typeof endpointId !== 'string' || typeof apiKey !== 'string')
      return []
    return [{ name, endpointId, url: catalogUrl.replace(/\/+$/, ''), apiKey }]
  })
}

/** Requests the bill of each endpoint, by day. Throws UnreadableBill. */
export async function askRunpod(
  endpoints: readonly BilledEndpoint[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly BillRow[]> {
  if (endpoints.length === 0)
    throw new UnreadableBill('The configuration has no provider of the type runpod with a key.')
  const rows = await Promise.all(endpoints.map((endpoint) => askFor(endpoint, from, to)))
  return rows.flat()
}

async function askFor(
  { name, endpointId, url, apiKey }: BilledEndpoint,
  from: number,
  to: number,
): Promise<readonly BillRow[]> {
  const { path, query: filter, read } = /\/v1$/.test(url) ? firstVersion : secondVersion
  const query = new URLSearchParams({
    ...{ startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() },
    ...{ bucketSize: 'day', ...filter(endpointId) },
  })
  const response = await fetch(`${url}${path}?${query}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => undefined)
  if (response === undefined) throw new UnreadableBill(`RunPod cannot be reached for providers.${name}.`)
  if (!response.ok)
    throw new UnreadableBill(
      `RunPod refused the request for the bill of providers.${name}: status ${response.status}.`,
    )
  return read(await response.json().catch(() => undefined))
}

/** RunPod's billing API, which depends on the version in the address. */
type BillingApi = {
  readonly path: string
  readonly query: (endpointId: string) => Readonly<Record<string, string>>
  readonly read: (answer: unknown) => readonly BillRow[]
}

const secondVersion: BillingApi = {
  path: '/billing/serverless',
  query: (serverlessId) => ({ serverlessId }),
  read: readServerlessBill,
}

const firstVersion: BillingApi = {
  path: '/billing/endpoints',
  query: (endpointId) => ({ endpointId, grouping: 'endpointId' }),
  read: readEndpointsBill,
}

const patienceMs = 30_000
