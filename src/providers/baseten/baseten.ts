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
import { createAlarm } from './wake.ts'

/** Model APIs are always up. */
const sharedClocks: Clocks = { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }

/**
 * A sleeping deployment holds a request for minutes until a replica is up. Baseten gives up after 1200 seconds (some of
 * its pages say 600), so the first token is waited for as long as the lower of the two, and nothing longer than the
 * higher.
 */
const deploymentClocks: Clocks = {
  connectMs: 5000,
  firstTokenMs: 600_000,
  idleMs: 30_000,
  totalMs: 1_200_000,
}

// The default clocks depend on which of the two it is.
const { clocks: _clocks, ...otherBounds } = boundsSettings(sharedClocks)

/** The alphanumeric id of a model, a chain or a deployment at Baseten. */
const idSetting = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}$/)
  .meta({ expected: 'an id as Baseten gives it: letters and digits' })

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
    /** The environment is bound to a region: its name is part of the host, not of the path. */
    regional: z.boolean().default(false),
  })
  .check(({ value, issues }) => {
    const { model, chain, environment, deployment, regional } = value
    const wrong = (path: readonly string[], input: unknown, message: string) => {
      issues.push({ code: 'custom', path: [...path], input, message })
    }
    if ((model === undefined) === (chain === undefined)) wrong([], value, 'either a model or a chain')
    if (environment !== undefined && deployment !== undefined) {
      wrong([], value, 'either an environment or a deployment')
    }
    if (regional && environment === undefined) {
      wrong(['regional'], regional, 'false, or the name of an environment beside it')
    }
  })

const settings = z
  .strictObject({
    ...otherBounds,
    /** Defaults depend on the API: a deployment that sleeps takes its time. */
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
    /** Replaces Baseten's own address, to which `/chat/completions` or the path of an environment is added. */
    baseUrl: addressSetting.optional(),
    /** A deployment of the operator's own. Without one, calls go to Model APIs. */
    deployment: deploymentSetting.optional(),
    /** Uses `/predict` (for a chain always `/run_remote`): the answer's format is up to its model. */
    predict: z.boolean().default(false),
    /** Where text completions are, below `baseUrl`. Model APIs document none. */
    textPath: pathSetting.optional(),
    /** Where the server inside the deployment reports its health: `/health`. */
    healthPath: pathSetting.optional(),
    /** The model takes one prompt and gives one choice per request. */
    oneChoice: z.boolean().default(false),
    /** Names to offer to callers who ask which models there are. */
    models: z.array(z.string().min(1)).default([]),
  })
  .check(({ value: { predict, healthPath, deployment }, issues }) => {
    const wrong = (message: string) => {
      issues.push({ code: 'custom', path: ['deployment'], input: deployment, message })
    }
    if (predict && deployment === undefined) wrong('a model or a chain, because predict is true')
    if (healthPath !== undefined && deployment?.model === undefined) {
      wrong('a model, because there is a healthPath')
    }
  })
  .transform((given) => {
    const usual = given.deployment === undefined ? sharedClocks : deploymentClocks
    return { ...given, clocks: withDefaults(given.clocks, usual) }
  })

/** Baseten: its shared Model APIs, or a deployment of one's own model, by its server's routes or by `/predict`. */
export const baseten: Provider<BasetenSettings> = {
  type: 'baseten',
  settings,
  create,
  // A deployment of one's own is billed by the minute.
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
  // All descriptions of these hosts use `Api-Key`; only the newest says that `Bearer` works too.
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
  const alarm = createAlarm(name, given, { ...address, wakePath: address.wakePath, scheme }, tools)
  return {
    ...upstream,
    // The server in the deployment reports it, which has to be up for that.
    healthWakes: true,
    wake: alarm.wake,
    async close() {
      await Promise.all([upstream.close(), alarm.close()])
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
