import { isObject, type JsonObject } from '../core/model/json/json.ts'
import { usdText } from '../core/model/price.ts'
import {
  type Catalog,
  CatalogError,
  type CatalogModel,
  type CatalogPrice,
  catalogFormat,
  checkedCatalog,
} from './catalog.ts'

/** A source's facts about models, in any format. */
export type SourceRows = {
  /** Its name in the catalogue. */
  readonly name: string
  readonly url: string
  readonly rows: readonly SourceRow[]
}

/** Without days and sources, which are those of the reading. */
export type SourceRow = Pick<CatalogModel, 'provider' | 'model' | 'successor' | 'kind'> &
  Pick<
    CatalogModel,
    'contextTokens' | 'maxOutputTokens' | 'tools' | 'vision' | 'jsonSchema' | 'reasoning'
  > & {
    readonly price: CatalogPrice
    /** The day on which the model is gone, by the source. */
    readonly until?: string
    /** The model is gone, without a day. */
    readonly isGone?: boolean
  }

/**
 * Reads a source in any known format: our own catalogue, models.dev's `api.json`, LiteLLM's
 * `model_prices_and_context_window.json`. Throws CatalogError for anything else.
 */
export function readSource(text: string): SourceRows {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new CatalogError(['It is not JSON.'])
  }
  if (!isObject(content)) throw new CatalogError(['It is not an object.'])
  if (content['format'] === catalogFormat) return ofCatalog(checkedCatalog(content))
  const entries = Object.entries(content)
  if (entries.some(([, value]) => isObject(value) && typeof value['litellm_provider'] === 'string')) {
    return { name: 'LiteLLM', url: litellmUrl, rows: entries.flatMap(litellmRow) }
  }
  if (entries.some(([, value]) => isObject(value) && isObject(value['models']))) {
    return { name: 'models.dev', url: modelsDevUrl, rows: entries.flatMap(modelsDevRows) }
  }
  throw new CatalogError(['It is neither a catalogue, nor models.dev’s api.json, nor LiteLLM’s prices.'])
}

export const litellmUrl =
  'https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json'

export const modelsDevUrl = 'https://models.dev/api.json'

/** The last row of each model: earlier ones are in our catalogue already. */
function ofCatalog({ models, asOf }: Catalog): SourceRows {
  const latest = new Map<string, CatalogModel>()
  for (const row of models) {
    const key = JSON.stringify([row.provider, row.model])
    if ((latest.get(key)?.from ?? '') <= (row.from ?? '')) latest.set(key, row)
  }
  const rows = [...latest.values()].map(
    ({ from: _from, sources: _sources, firm: _firm, note: _note, ...row }) => ({
      ...row,
      price: row.price ?? {},
    }),
  )
  return { name: `a catalogue of ${asOf}`, url: 'https://pandotate.com/catalog.json', rows }
}

const litellmProviders: Readonly<Record<string, string>> = {
  together_ai: 'together',
  baseten: 'baseten',
  mistral: 'mistral',
  groq: 'groq',
  fireworks_ai: 'fireworks',
  deepseek: 'deepseek',
}

const kinds: Readonly<Record<string, CatalogModel['kind']>> = {
  chat: undefined,
  completion: 'text',
  embedding: 'embedding',
  rerank: 'rerank',
  moderation: 'moderation',
}

function litellmRow([key, value]: readonly [string, unknown]): readonly SourceRow[] {
  if (!isObject(value)) return []
  const from = String(value['litellm_provider'])
  const provider = Object.hasOwn(litellmProviders, from) ? litellmProviders[from] : undefined
  const mode = String(value['mode'])
  if (provider === undefined || !key.startsWith(`${from}/`) || !Object.hasOwn(kinds, mode)) return []
  const [input, output] = [value['input_cost_per_token'], value['output_cost_per_token']].map(perToken)
  if (input === undefined) return []
  const day = value['deprecation_date']
  const successor = value['successor_model']
  const tiers = litellmTiers(value)
  const row: SourceRow = {
    ...{ provider, model: key.slice(from.length + 1) },
    price: known({
      // Embeddings have no output tokens.
      ...{ input, output: output ?? (mode === 'embedding' ? '0' : undefined) },
      cachedInput: perToken(value['cache_read_input_token_cost']),
      batchInput: perToken(value['input_cost_per_token_batches']),
      batchOutput: perToken(value['output_cost_per_token_batches']),
      tiers: tiers.length === 0 ? undefined : tiers,
    }),
    ...known({
      kind: kinds[mode],
      contextTokens: count(value['max_input_tokens']),
      tools: value['supports_function_calling'] === true ? true : undefined,
      vision: flag(value['supports_vision']),
      jsonSchema: value['supports_response_schema'] === true ? true : undefined,
      reasoning: value['supports_reasoning'] === true ? true : undefined,
      until: typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) ? day : undefined,
      successor:
        typeof successor === 'string' && successor.startsWith(`${from}/`)
          ? successor.slice(from.length + 1)
          : undefined,
    }),
  }
  return [row]
}

/** `input_cost_per_token_above_200k_tokens` */
function litellmTiers(value: JsonObject) {
  const bounds = Object.keys(value).flatMap(
    (name) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(name)?.[1] ?? [],
  )
  return bounds.map((thousands) => ({
    above: Number(thousands) * 1000,
    ...known({
      input: perToken(value[`input_cost_per_token_above_${thousands}k_tokens`]),
      output: perToken(value[`output_cost_per_token_above_${thousands}k_tokens`]),
      cachedInput: perToken(value[`cache_read_input_token_cost_above_${thousands}k_tokens`]),
    }),
  }))
}

const modelsDevProviders: Readonly<Record<string, string>> = {
  togetherai: 'together',
  baseten: 'baseten',
  mistral: 'mistral',
  groq: 'groq',
  'fireworks-ai': 'fireworks',
  deepseek: 'deepseek',
}

function modelsDevRows([key, value]: readonly [string, unknown]): readonly SourceRow[] {
  const provider = Object.hasOwn(modelsDevProviders, key) ? modelsDevProviders[key] : undefined
  const models = isObject(value) ? value['models'] : undefined
  if (provider === undefined || !isObject(models)) return []
  return Object.entries(models).flatMap(([id, model]): readonly SourceRow[] => {
    if (!isObject(model)) return []
    const cost = within(model, 'cost')
    const limit = within(model, 'limit')
    const input = perMillion(cost['input'])
    if (input === undefined) return []
    const seen = within(model, 'modalities')['input']
    return [
      {
        ...{ provider, model: id },
        price: known({
          ...{ input, output: perMillion(cost['output']), cachedInput: perMillion(cost['cache_read']) },
        }),
        ...known({
          contextTokens: count(limit['context']),
          tools: flag(model['tool_call']),
          vision: Array.isArray(seen) ? seen.includes('image') : undefined,
          jsonSchema: flag(model['structured_output']),
          reasoning: flag(model['reasoning']),
          isGone: model['status'] === 'deprecated' ? true : undefined,
        }),
      },
    ]
  })
}

/** Without undefined members. */
function known<T extends object>(row: T): { [name in keyof T]: Exclude<T[name], undefined> } {
  const members = Object.entries(row).filter(([, value]) => value !== undefined)
  return Object.fromEntries(members) as { [name in keyof T]: Exclude<T[name], undefined> }
}

function perToken(usd: unknown): string | undefined {
  return typeof usd === 'number' && usd >= 0 ? decimal(Math.round(usd * 1e15)) : undefined
}

function perMillion(usd: unknown): string | undefined {
  return typeof usd === 'number' && usd >= 0 ? decimal(Math.round(usd * 1e9)) : undefined
}

function decimal(nanoUsd: number): string {
  return usdText(nanoUsd).replace(/\.?0+$/, '')
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function within(value: JsonObject, name: string): JsonObject {
  const inner = value[name]
  return isObject(inner) ? inner : {}
}
