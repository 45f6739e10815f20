import * as z from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import type { StrategyName } from '../../core/model/terms.ts'
import { ownPriceSetting, unknownHardware } from './own-price.ts'

/**
 * `models` of gateway.yaml: routes of model names and patterns. `typeOf` returns a provider's type by its name;
 * `catalog` has the hardware with a price.
 */
export function modelsSetting(providerNames: readonly string[], typeOf: TypeOf, catalog: Hardware) {
  return z
    .record(modelName, modelSetting(providerNames, typeOf, catalog))
    .refine((models) => Object.keys(models).length > 0)
    .check(({ value: models, issues }) => {
      for (const { path, input } of duplicateAliases(models))
        issues.push({ code: 'custom', path, input, message: '' })
      for (const { path, input, like } of duplicateDeployments(models)) {
        const message = `a provider or a model that differs from deployments[${like}]`
        issues.push({ code: 'custom', path, input, message })
      }
    })
    .meta({ expected: 'at least one model; without `models`, the catalogue decides where each runs' })
}

type TypeOf = (providerName: string) => string | undefined

type Hardware = Pick<Catalog, 'hardware'>

/** One entry of `models`, as written. */
export type WrittenModel = z.infer<ReturnType<typeof modelSetting>>

export type WrittenDeployment = WrittenModel['deployments'][number]

/** The maximum of all clocks, a day. */
const longestMs = 86_400_000

const clockMs = z.int().min(1).max(longestMs).exactOptional()

const count = z.int().min(1).exactOptional()

const ability = z.boolean().exactOptional()

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not get into headers and logs.
const modelText = /^(?! )[^\x00-\x1f\x7f]{1,256}(?<! )$/

/** These endings of a model name steer routing, and are removed before the model is looked up. */
const steeringEnd = /.:(?:floor|nitro)$/
const notSteering = 'without :floor or :nitro at its end'

const modelName = z
  .string()
  .regex(modelText)
  .refine(isReachable)
  .meta({
    expected: `the name of a model, or a pattern with *, of at most 256 characters, ${notSteering}`,
  })

const aliasName = z
  .string()
  .regex(modelText)
  .refine((name) => !name.includes('*') && isReachable(name))
  .meta({
    expected: `a name without *, of at most 256 characters, that is not the name of another model or alias, ${notSteering}`,
  })

const upstreamName = z
  .string()
  .regex(modelText)
  .meta({ expected: 'the name of a model at that provider, of at most 256 characters' })

/** The values of `route`. */
export const strategyNames = {
  fallback: 'fallback',
  first: 'first',
  weighted: 'weighted',
  cheapest: 'cheapest',
  fastest: 'fastest',
  balanced: 'balanced',
  value: 'value',
} as const satisfies { readonly [name in StrategyName]: name }

function modelSetting(providerNames: readonly string[], typeOf: TypeOf, catalog: Hardware) {
  const ownPrice = ownPriceSetting(catalog)
  const deployment = z
    .strictObject({
      provider: z.enum(providerNames),
      model: upstreamName.exactOptional(),
      clocks: z
        .strictObject({ connectMs: clockMs, firstTokenMs: clockMs, idleMs: clockMs, totalMs: clockMs })
        .exactOptional(),
      retries: z.int().min(0).max(10).exactOptional(),
      retryDelayMs: z.int().min(0).max(60_000).exactOptional(),
      billing: z.strictObject({ stopsOnAbort: z.boolean() }).exactOptional(),
      weight: z.number().min(0).max(1_000_000).exactOptional(),
      price: ownPrice.exactOptional(),
      baseline: ability,
      contextTokens: count,
      maxOutputTokens: count,
      lowersMaxTokens: ability,
      keepsBillingLine: ability,
      tools: ability,
      jsonSchema: ability,
      vision: ability,
      logprobs: ability,
      inputsPerRequest: count,
    })
    .check(({ value: { provider, price }, issues }) => {
      for (const { path, input } of price === undefined
        ? []
        : unknownHardware(price, typeOf(provider), catalog)) {
        issues.push({ code: 'custom', path: ['price', ...path], input, message: '' })
      }
    })
  return z.strictObject({
    route: z.enum(strategyNames).default('fallback'),
    aliases: z.array(aliasName).default([]),
    deployments: z
      .array(deployment)
      .min(1)
      .check(({ value: deployments, issues }) => {
        const marked = deployments.flatMap(({ baseline }, index) => (baseline === true ? [index] : []))
        for (const index of marked.slice(1)) {
          const message = 'it at only one deployment of a model'
          issues.push({ code: 'custom', path: [index, 'baseline'], input: true, message })
        }
      }),
  })
}

function isReachable(name: string): boolean {
  return !steeringEnd.test(name)
}

type DuplicateDeployment = {
  readonly path: (string | number)[]
  readonly input: string
  readonly like: number
}

/** Deployments of a route that equal an earlier one. They could not be distinguished. */
function duplicateDeployments(
  models: Readonly<Record<string, Pick<WrittenModel, 'deployments'>>>,
): DuplicateDeployment[] {
  return Object.entries(models).flatMap(([name, { deployments }]) =>
    deployments.flatMap(({ provider, model = name }, index) => {
      const like = deployments.findIndex((one) => one.provider === provider && (one.model ?? name) === model)
      return like === index ? [] : [{ path: [name, 'deployments', index, 'provider'], input: provider, like }]
    }),
  )
}

type DuplicateAlias = { readonly path: (string | number)[]; readonly input: string }

/** Aliases that are already the name of a model or an earlier alias. */
function duplicateAliases(
  models: Readonly<Record<string, { readonly aliases: readonly string[] }>>,
): DuplicateAlias[] {
  const names = new Set(Object.keys(models))
  return Object.entries(models).flatMap(([model, { aliases }]) =>
    aliases.flatMap((alias, index) => {
      if (names.has(alias)) return [{ path: [model, 'aliases', index], input: alias }]
      names.add(alias)
      return []
    }),
  )
}
