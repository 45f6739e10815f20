import * as z from 'zod'
import type { JsonObject } from '../../core/model/json/json.ts'
import { rendered } from '../../http/routes/generation.ts'
import type { StoredCall } from '../../ledger/store/calls.ts'
import { uncertainOf } from '../../ledger/store/rollup.ts'
import { amounts } from '../amounts.ts'

const settlement = z.object({
  cost: z.number(),
  cost_nano_usd: z.int(),
  at: z.iso.datetime(),
  by: z.string(),
  reason: z.string(),
})

/** The schema of what `bodyOf` returns. */
export const callBody = z.looseObject({
  id: z.string(),
  key: z.string().nullable(),
  key_hash: z.string().nullable().meta({ description: 'Calls can be filtered by it' }),
  key_name: z.string().nullable(),
  cost: z.number(),
  cost_nano_usd: z.int(),
  cost_known: z.boolean(),
  uncertain: z.number(),
  uncertain_nano_usd: z.int(),
  settled: settlement.nullable(),
})

/** As `GET /v1/generation` shows it, with fields for operators only. */
export function bodyOf(stored: StoredCall): JsonObject {
  const { call, settled } = stored
  return {
    ...rendered(stored),
    ...{
      key: call.principal ?? null,
      key_hash: call.key ?? call.principal ?? null,
      key_name: call.keyName ?? null,
    },
    user: call.user ?? null,
    ...amounts('cost', settled?.nanoUsd ?? call.costNanoUsd ?? 0),
    cost_known: settled !== undefined || typeof call.costNanoUsd === 'number',
    ...amounts('uncertain', settled === undefined ? uncertainOf(call) : 0),
    settled:
      settled === undefined
        ? null
        : {
            ...amounts('cost', settled.nanoUsd),
            at: new Date(settled.at).toISOString(),
            by: settled.actor,
            reason: settled.reason,
          },
  }
}

/** The same with the number of attempts instead of their rows. */
export function rowOf(stored: StoredCall): JsonObject {
  return { ...bodyOf(stored), attempts: stored.call.attempts.length }
}
