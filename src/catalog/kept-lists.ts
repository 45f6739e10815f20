import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { UpstreamHardware, UpstreamModel } from '../core/model/ports.ts'

/** Providers' lists on disk: a gateway without a network starts with the last ones. */
export interface KeptLists {
  /** The last list of that provider at that address; undefined if nothing was stored, or it cannot be read. */
  read(provider: ListedAt): ProviderList | undefined
  /** Replaces the stored list. Rejects as `node:fs` does. */
  write(provider: ListedAt, list: ProviderList): Promise<void>
}

/** A provider by its name and address, so that another server's list is not used for it. */
export type ListedAt = { readonly name: string; readonly address: string }

/** A provider's list, and when it was read. Parts that it does not offer are absent. */
export type ProviderList = {
  readonly epochMs: number
  readonly models?: readonly UpstreamModel[] | undefined
  readonly hardware?: readonly UpstreamHardware[] | undefined
}

/** In its own directory below the data directory, created when there is something to store. */
export function createKeptLists(dataDirectory: string): KeptLists {
  const directory = join(dataDirectory, 'lists')
  const fileOf = ({ name }: ListedAt) => join(directory, `${encodeURIComponent(name)}.json`)
  let count = 0
  return {
    read(provider) {
      const content = contentOf(fileOf(provider))
      if (content === undefined || content.address !== provider.address) return undefined
      const { epochMs, models, hardware } = content
      return { epochMs, models: models?.map(withUnknowns), hardware }
    },
    async write(provider, list) {
      await mkdir(directory, { recursive: true })
      const path = fileOf(provider)
      // Another process may write there too: the latest write wins, and is always complete.
      const draft = `${path}.${process.pid}.${count++}`
      await writeFile(draft, JSON.stringify({ version: 1, address: provider.address, ...list }), {
        mode: 0o600,
      })
      await rename(draft, path)
    },
  }
}

const amount = z.int().min(0).exactOptional()

const amounts = {
  inputNanoUsdPerMillion: amount,
  cachedInputNanoUsdPerMillion: amount,
  outputNanoUsdPerMillion: amount,
}

const priceSchema = z.object({
  ...amounts,
  nanoUsdPerSecond: amount,
  nanoUsdPerRequest: amount,
  tiers: z.array(z.object({ above: z.int(), ...amounts })).exactOptional(),
})

const count = z.int().min(1).exactOptional()
const ability = z.boolean().exactOptional()

const keptSchema = z.object({
  version: z.literal(1),
  address: z.string(),
  epochMs: z.int().min(0),
  models: z
    .array(
      z.object({
        id: z.string().min(1),
        contextTokens: count,
        price: priceSchema,
        traits: z
          .object({
            ...{ contextTokens: count, maxOutputTokens: count },
            ...{ tools: ability, vision: ability, jsonSchema: ability, logprobs: ability },
          })
          .exactOptional(),
        isOther: ability,
      }),
    )
    .exactOptional(),
  hardware: z
    .array(z.object({ names: z.array(z.string()), nanoUsdPerSecond: z.int().min(0) }))
    .exactOptional(),
})

type Kept = z.infer<typeof keptSchema>

function contentOf(path: string): Kept | undefined {
  try {
    const result = keptSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    return result.success ? result.data : undefined
  } catch {
    // Missing, unreadable or invalid: the list is requested from the provider anyway.
    return undefined
  }
}

/** JSON omits undefined amounts; a price has them as members. */
function withUnknowns({
  price,
  contextTokens,
  ...model
}: NonNullable<Kept['models']>[number]): UpstreamModel {
  const { inputNanoUsdPerMillion, cachedInputNanoUsdPerMillion, outputNanoUsdPerMillion, ...rest } = price
  const { nanoUsdPerSecond, ...others } = rest
  const known = { inputNanoUsdPerMillion, cachedInputNanoUsdPerMillion, outputNanoUsdPerMillion }
  return { ...model, contextTokens, price: { ...known, nanoUsdPerSecond, ...others } }
}
