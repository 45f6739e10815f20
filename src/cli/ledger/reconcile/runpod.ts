import type { Config } from '../../../config.ts'
import { isObject } from '../../../core/model/json/json.ts'
import { type BillRow, readRunpodBill, UnreadableBill } from './bill.ts'

export type BilledEndpoint = {
  /** As the configuration names the provider. */
  readonly name: string
  readonly endpointId: string
  readonly url: string
  readonly apiKey: string
}

/** The endpoints of a configuration whose bill can be asked for. */
export function runpodsIn({ providers }: Config): readonly BilledEndpoint[] {
  return providers.flatMap(({ name, type, settings }) => {
    if (type !== 'runpod' || !isObject(settings)) return []
    const { catalogUrl, endpointId, apiKey } = settings
    if (typeof catalogUrl !== 'string' || typeof endpointId !== 'string' || typeof apiKey !== 'string')
      return []
    return [{ name, endpointId, url: catalogUrl.replace(/\/+$/, ''), apiKey }]
  })
}

/** What RunPod billed for each endpoint, by the day. Throws UnreadableBill. */
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
  const query = new URLSearchParams({
    ...{ startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() },
    ...{ bucketSize: 'day', serverlessId: endpointId },
  })
  const response = await fetch(`${url}/billing/serverless?${query}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => undefined)
  if (response === undefined) throw new UnreadableBill(`RunPod cannot be reached for providers.${name}.`)
  const answer: unknown = await response.json().catch(() => undefined)
  if (!response.ok)
    throw new UnreadableBill(
      `RunPod refused to give its bill for providers.${name}: status ${response.status}.`,
    )
  return readRunpodBill(answer).map((row) => ({ ...row, name: row.name ?? endpointId }))
}

const patienceMs = 30_000
