import * as z from 'zod'
import type { Upstream } from '../../core/model/ports.ts'
import { addressSetting, boundsSettings, keySettingOf, secretSetting } from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { booleanLogprobsToInteger, developerToSystem, inTurn, stopToList } from '../openai/adaptations.ts'
import { createOpenAiCompatible } from '../openai/openai-compatible.ts'
import { readTogetherModels } from './models.ts'

const ownUrl = 'https://api.together.ai/v1'

const settings = z.strictObject({
  ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }),
  baseUrl: addressSetting.default(ownUrl),
  apiKey: secretSetting.optional(),
  /** Model names to list to callers. */
  models: z.array(z.string().min(1)).default([]),
})

/** Together.ai: serverless open models, and dedicated endpoints by their model names. */
export const together: Provider<TogetherSettings> = { type: 'together', settings, create }

export type TogetherSettings = z.infer<typeof settings>

function create(name: string, given: TogetherSettings, tools: ProviderTools): Upstream {
  // Text completions take one prompt, as a string.
  const oneChoice = { text: true, chat: false }
  return createOpenAiCompatible(name, { ...given, headers: {}, oneChoice }, tools, {
    needsKey: given.baseUrl === ownUrl,
    keySetting: keySettingOf(name, together.type),
    // Some models report usage in a stream only if it is requested.
    asksUsage: true,
    renames: { max_completion_tokens: 'max_tokens' },
    // Together ignores unknown fields, so they are forwarded.
    adapt: inTurn([developerToSystem, stopToList, booleanLogprobsToInteger]),
    modelsOf: readTogetherModels,
    takesTokenIds: false,
    // These are undocumented, and ignored.
    lacks: ['suffix', 'best_of', 'custom_tools'],
  })
}
