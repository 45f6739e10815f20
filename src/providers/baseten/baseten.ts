import * as z from 'zod'
import type { Clocks } from '../../core/model/call.ts'
import type { Upstream } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'
import {
  addressSetting,
  boundsSettings,
  keySettingOf,
  oneChoiceOf,
  secretSetting,
} from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { pricePerToken, readModels } from '../openai/models.ts'
import { createOpenAiCompatible } from '../openai/openai-compatible.ts'
import { type DeploymentAddress, deploymentAddress, modelApisUrl, pathBelow } from './address.ts'
import { createBasetenPredict } from './predict.ts'
import { createWaker } from './wake.ts'

/** Model APIs never sleep. */
const sharedClocks: Clocks = { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }

/**
 * A sleeping deployment holds a request for minutes until a replica is up. Baseten's limit is 1200 seconds (some of its
 * pages say 600). The lower value limits the first token, the higher value the whole call.
 */
const deploymentClocks: Clocks = {
  connectMs: 5000,
  firstTokenMs: 600_000,
  idleMs: 30_000,
  totalMs: 1_200_000,
}

// The default clocks differ between Model APIs and deployments.
const { clocks: _clocks, ...otherBounds } = boundsSettings(sharedClocks)

/** The alphanumeric id of a model, a chain or a deployment at Baseten. */
const idSetting = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}$/)
  .meta({ expected: 'an id from Baseten: letters and digits' })

const pathSetting = z
  .string()
  .regex(/^\/[\w./-]{1,200}$/)
  .meta({ expected: 'a path that starts with /' })

const clockSetting = z.int().min(1).max(86_400_000).optional()

const deploymentSetting = z
  .strictObject({
    /** A model's id, or a chain's. */
    model: idSetting.optional(),
    chain: idSetting.optional(),
    /** `production` if neither this nor a deployment's id is given. */
    environment: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
      .meta({ expected: 'production, development, or the name of an environment' })
      .optional(),
    /** A deployment by its id, instead of an environment's current one. */
    deployment: idSetting.optional(),
    /** True: the environment is bound to a region, and its name is part of the host, not of the path. */
    regional: z.boolean().default(false),
  })
  .check(({ value, issues }) => {
    const { model, chain, environment, deployment, regional } = value
    const wrong = (path: readonly string[], input: unknown, message: string) => {
      issues.push({ code: 'custom', path: [...path], input, message })
    }
    if ((model === undefined) === (chain === undefined)) wrong([], value, 'exactly one of model and chain')
    if (environment !== undefined && deployment !== undefined) {
      wrong([], value, 'at most one of environment and deployment')
    }
    if (regional && environment === undefined) {
      wrong(['regional'], regional, 'false, unless there is an environment')
    }
  })

const settings = z
  .strictObject({
    ...otherBounds,
    /** Defaults depend on the API: a sleeping deployment takes minutes to start. */
    clocks: z
      .strictObject({
        connectMs: clockSetting,
        firstTokenMs: clockSetting,
        idleMs: clockSetting,
        totalMs: clockSetting,
      })
      .default({}),
    apiKey: secretSetting.optional(),
    /** The word before the key. By default `bearer` for Model APIs, `api-key` for a deployment. */
    auth: z.enum(['bearer', 'api-key']).optional(),
    /** Replaces Baseten's own address. `/chat/completions` or the path of an environment is appended. */
    baseUrl: addressSetting.optional(),
    /** A dedicated deployment. Absent: calls go to Model APIs. */
    deployment: deploymentSetting.optional(),
    /** True: calls go to `/predict` (for a chain always `/run_remote`), whose output format the model defines. */
    predict: z.boolean().default(false),
    /** The path of text completions below `baseUrl`. Model APIs document none. */
    textPath: pathSetting.optional(),
    /** The health path of the server inside the deployment, for example `/health`. */
    healthPath: pathSetting.optional(),
    /** The model takes one prompt and gives one choice per request. */
    oneChoice: z.boolean().default(false),
    /** Model names to list to callers. */
    models: z.array(z.string().min(1)).default([]),
  })
  .check(({ value: { predict, healthPath, deployment }, issues }) => {
    const wrong = (message: string) => {
      issues.push({ code: 'custom', path: ['deployment'], input: deployment, message })
    }
    if (predict && deployment === undefined) wrong('a model or a chain, because predict needs one')
    if (healthPath !== undefined && deployment?.model === undefined) {
      wrong('a model, because healthPath needs one')
    }
  })
  .transform((given) => {
    const usual = given.deployment === undefined ? sharedClocks : deploymentClocks
    return { ...given, clocks: withDefaults(given.clocks, usual) }
  })

/**
 * Baseten: the shared Model APIs, or a dedicated deployment through its server's OpenAI routes or through `/predict`.
 */
export const baseten: Provider<BasetenSettings> = {
  type: 'baseten',
  settings,
  create,
  // A dedicated deployment is billed by the minute.
  priceList: ({ deployment }) => (deployment === undefined ? 'baseten' : undefined),
}

export type BasetenSettings = z.infer<typeof settings>

function create(name: string, given: BasetenSettings, tools: ProviderTools): Upstream {
  const { deployment } = given
  return deployment === undefined
    ? createShared(name, given, tools)
    : createDedicated(name, given, deploymentAddress(deployment, given.baseUrl), tools)
}

function createShared(name: string, given: BasetenSettings, tools: ProviderTools): Upstream {
  const { auth = 'bearer', baseUrl = modelApisUrl, textPath } = given
  const oneChoice = oneChoiceOf(given.oneChoice)
  return createOpenAiCompatible(name, { ...given, baseUrl, oneChoice, headers: {} }, tools, {
    scheme: schemes[auth],
    ...keyQuirks(name, given),
    paths: pathsBelow(baseUrl, textPath),
    lacks: ['custom_tools'],
    modelsOf: (answer) => readModels(answer, pricePerToken),
  })
}

function createDedicated(
  name: string,
  given: BasetenSettings,
  address: DeploymentAddress,
  tools: ProviderTools,
): Upstream {
  // Baseten documents `Api-Key` for these hosts; only the newest page says that `Bearer` works too.
  const scheme = schemes[given.auth ?? 'api-key']
  const oneChoice = oneChoiceOf(given.oneChoice)
  const upstream =
    given.predict || address.server === undefined
      ? createBasetenPredict(name, given, { ...address, scheme, ...keyQuirks(name, given) }, tools)
      : createOpenAiCompatible(name, { ...given, baseUrl: address.server, oneChoice, headers: {} }, tools, {
          scheme,
          ...keyQuirks(name, given),
          paths: pathsBelow(address.server, given.textPath ?? '/completions'),
          lacks: ['custom_tools'],
          // Its models are not listed: the request would wake a sleeping deployment, and servers report no prices.
          ...(given.healthPath === undefined ? {} : { healthPath: given.healthPath }),
        })
  if (address.wakePath === undefined) return upstream
  const waker = createWaker(name, given, { ...address, wakePath: address.wakePath, scheme }, tools)
  return {
    ...upstream,
    // The server inside the deployment reports its health, so a request for it wakes the deployment.
    healthWakes: true,
    wake: waker.wake,
    async close() {
      await Promise.all([upstream.close(), waker.close()])
    },
  }
}

function keyQuirks(name: string, { baseUrl, deployment }: BasetenSettings) {
  const isById = deployment !== undefined && baseUrl === undefined
  return {
    needsKey: baseUrl === undefined,
    keySetting: keySettingOf(name, baseten.type),
    ...(isById ? { addressSetting: `providers.${name}.deployment` } : {}),
  }
}

/** The paths of calls below a server's `/v1`. */
function pathsBelow(url: string, textPath: string | undefined): Readonly<Partial<Record<Kind, string>>> {
  const chat = pathBelow(url, '/chat/completions')
  return textPath === undefined ? { chat } : { chat, text: pathBelow(url, textPath) }
}

const schemes = { bearer: 'Bearer', 'api-key': 'Api-Key' } as const

function withDefaults(
  given: { readonly [name in keyof Clocks]?: number | undefined },
  usual: Clocks,
): Clocks {
  return {
    connectMs: given.connectMs ?? usual.connectMs,
    firstTokenMs: given.firstTokenMs ?? usual.firstTokenMs,
    idleMs: given.idleMs ?? usual.idleMs,
    totalMs: given.totalMs ?? usual.totalMs,
  }
}
