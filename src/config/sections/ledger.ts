import * as z from 'zod'

const mebibyte = 1024 * 1024

/** `ledger` of gateway.yaml: the storage of call records, in `dataDirectory` or at `databaseUrl`. */
export const ledgerSetting = z
  .strictObject({
    enabled: z.boolean().default(true),
    durability: z.enum(['process', 'disk']).default('process'),
    spoolBytes: z
      .int()
      .min(64 * mebibyte)
      .max(1_048_576 * mebibyte)
      .default(1024 * mebibyte),
    keepCallsDays: z.int().min(1).max(3660).default(90),
    keepRollupsDays: z.int().min(1).max(3660).default(731),
    databaseUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\/\S+$/)
      .meta({
        secret: true,
        expected: 'the address of a Postgres database: postgres://user:password@host/name',
      })
      .exactOptional(),
  })
  .prefault({})
