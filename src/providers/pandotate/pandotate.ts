import * as z from 'zod'
import { families } from '../../core/adapt/template.ts'
import type { Upstream } from '../../core/model/ports.ts'
import { addressSetting, boundsSettings, keySettingOf, secretSetting } from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { createPromptUpstream, type PromptKeys } from '../prompt/prompt-upstream.ts'
import { requestHeaders } from '../wire/wire.ts'
import { readPandotateAnswer } from './answer.ts'

const defaultUrl = 'https://api.pandotate.com/api/inference'

const settings = z.strictObject({
  ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 30_000 }),
  url: addressSetting.default(defaultUrl),
  apiKey: secretSetting.optional(),
  /** The chat template; `auto` selects it by the model's name. */
  promptFormat: z.enum(['auto', ...families]).default('auto'),
  /** True: the prompt begins with the template's BOS token. False if the upstream adds it. */
  bos: z.boolean().default(false),
  /** True: calls may be sent without a key. Absent: true except for Pandotate's own address. */
  keyless: z.boolean().optional(),
})

/**
 * Pandotate takes one prompt and returns one output, never a stream. Without a configured key, the caller's `pk_…` key
 * is used.
 */
export const pandotate: Provider<PandotateSettings> = {
  type: 'pandotate',
  settings,
  create,
  // Pandotate publishes no prices.
  priceList: () => undefined,
}

export type PandotateSettings = z.infer<typeof settings>

function create(name: string, given: PandotateSettings, tools: ProviderTools): Upstream {
  const { apiKey, bos, keyless, promptFormat, url } = given
  return createPromptUpstream(
    name,
    given,
    tools,
    { read: readPandotateAnswer },
    {
      ...{ isWholeOnly: true, promptFormat, bos, callerKey: 'pk_…' },
      keys: createKeys(apiKey, keyless ?? url !== defaultUrl, tools.userAgent),
      keySetting: keySettingOf(name, pandotate.type),
    },
  )
}

/** With a configured key, a caller's key is never sent. */
function createKeys(apiKey: string | undefined, isKeyless: boolean, userAgent: string): PromptKeys {
  if (apiKey !== undefined) {
    const ours = { owner: 'ours', headers: requestHeaders(userAgent, `Bearer ${apiKey}`) } as const
    return { admits: () => true, choose: () => ours }
  }
  const none = { owner: 'none', headers: requestHeaders(userAgent, undefined) } as const
  return {
    admits: (credential) => isKeyless || isPandotateKey(credential),
    choose(credential) {
      if (!isPandotateKey(credential)) return none
      return { owner: 'callers', headers: requestHeaders(userAgent, `Bearer ${credential}`) }
    },
  }
}

function isPandotateKey(credential: string | undefined): boolean {
  return credential?.startsWith('pk_') ?? false
}
