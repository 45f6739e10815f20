import * as z from 'zod'
import type { Upstream } from '../core/ports.ts'
import { addressSetting, boundsSettings, secretSetting } from './bounds.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import type { Provider, ProviderTools } from './provider.ts'
import { readTogetherModels } from './together-models.ts'
import { adaptForTogether } from './together-request.ts'

const settings = z.strictObject({
  ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }),
  baseUrl: addressSetting.default('https://api.together.ai/v1'),
  apiKey: secretSetting.optional(),
  /** Names to offer to callers who ask which models there are. */
  models: z.array(z.string().min(1)).default([]),
})

/** Together.ai: open models without a server, and dedicated endpoints by their names. */
export const together: Provider<TogetherSettings> = { type: 'together', settings, create }

export type TogetherSettings = z.infer<typeof settings>

function create(name: string, given: TogetherSettings, tools: ProviderTools): Upstream {
  // Its completions take one prompt, as a string.
  return createOpenAiCompatible(name, { ...given, headers: {}, oneChoice: true }, tools, {
    // Some models tell no usage in a stream otherwise.
    asksUsage: true,
    renames: { max_completion_tokens: 'max_tokens' },
    adapt: adaptForTogether,
    modelsOf: readTogetherModels,
  })
}
