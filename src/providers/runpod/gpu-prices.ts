import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamHardware } from '../../core/model/ports.ts'
import { roundedNanoUsd } from '../../core/model/price.ts'

/**
 * The serverless prices per second in an answer to GET /v2/catalog/gpus, which lists USD per hour. GPUs without a
 * serverless price are left out. Throws `invalid_response` for anything else.
 */
export function readGpuPrices(answer: unknown): readonly UpstreamHardware[] {
  const rows: unknown = isObject(answer) ? answer['gpus'] : answer
  if (!Array.isArray(rows)) throw new Failure('invalid_response', 'The upstream did not list its GPUs.')
  return rows.filter(isObject).flatMap((row) => {
    const nanoUsdPerSecond = perSecond(row)
    const names = [row['id'], row['name'], row['pool']].filter((one) => typeof one === 'string' && one !== '')
    if (nanoUsdPerSecond === undefined || names.length === 0) return []
    return [{ names: [...new Set(names as string[])], nanoUsdPerSecond }]
  })
}

function perSecond({ price }: JsonObject): number | undefined {
  const perHour = isObject(price) ? price['serverless'] : undefined
  if (typeof perHour !== 'number' || !(perHour > 0)) return undefined
  try {
    return Math.round(roundedNanoUsd(perHour) / 3600)
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
