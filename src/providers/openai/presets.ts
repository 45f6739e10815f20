import type { Kind, RelayKind } from '../../core/model/terms.ts'
import {
  type Adaptation,
  developerToSystem,
  inTurn,
  messageFieldsLeftOut,
  reasoningByBothNames,
  streamOptionsLeftOut,
  wholeTopPLeftOut,
} from './adaptations.ts'
import { mistralConversation, reasoningOnOrOff } from './mistral.ts'
import { pricePerToken, readModels } from './models.ts'
import type { DeveloperRole, QuirkSettings, Quirks } from './quirks.ts'
import { continueFinalMessage } from './request.ts'

/** The properties of a known server or service. Absent values are as at OpenAI. */
export type Preset = {
  /** The default address. */
  readonly baseUrl?: string
  /** The kinds of calls it serves; absent: both. */
  readonly kinds?: readonly Kind[]
  /** Whether it serves embeddings and rerank. Absent: both if it serves both kinds of calls, otherwise neither. */
  readonly relays?: readonly RelayKind[]
  /** One prompt and one choice per request. */
  readonly isOneChoice?: boolean
  /** A service that requires a key. */
  readonly needsKey?: boolean
  readonly developerRole: DeveloperRole
  readonly adaptations?: readonly Adaptation[]
  readonly quirks: Pick<
    Quirks,
    | ('asksUsage' | 'renames' | 'drops' | 'healthPath' | 'modelsOf' | 'prefix')
    | ('lacks' | 'mostStops' | 'takesTokenIds' | 'keepsReasoning')
    | ('relays' | 'repeatsPrefix')
  >
}

export type PresetName = (typeof presetNames)[number]

export const presetNames = [
  ...(['openai', 'vllm', 'sglang', 'llamacpp', 'ollama', 'tgi', 'lmstudio', 'transformers'] as const),
  ...(['groq', 'mistral', 'openrouter', 'deepseek', 'fireworks'] as const),
] as const

/** The quirks of a preset, overridden by the operator's settings. */
export function quirksOf(
  { quirks: ofPreset, developerRole, adaptations = [] }: Preset,
  given: QuirkSettings,
  baseUrl?: string,
): Quirks {
  const isNewer =
    baseUrl !== undefined && ofPreset === unnamed.quirks && newerHosts.test(new URL(baseUrl).hostname)
  const quirks = isNewer ? {} : ofPreset
  const { developerRole: role = developerRole, ...own } = given
  const all = role === 'system' ? [developerToSystem, ...adaptations] : adaptations
  const corrected: Quirks = { modelsOf: (answer) => readModels(answer), ...quirks, ...own }
  return all.length === 0 ? corrected : { ...corrected, adapt: inTurn(all) }
}

/** Older servers know only `max_tokens`. Some ignore `max_completion_tokens`, which leaves an answer unlimited. */
const oneTokenLimit = { renames: { max_completion_tokens: 'max_tokens' } }

/** An unknown server in OpenAI's format. */
export const unnamed: Preset = { developerRole: 'keep', quirks: oneTokenLimit }

/** OpenAI and Azure: some of their models refuse `max_tokens`. */
const newerHosts = /(?:^|\.)(?:openai\.com|openai\.azure\.com|cognitiveservices\.azure\.com|ai\.azure\.com)$/

export const presets: Readonly<Record<PresetName, Preset>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    needsKey: true,
    developerRole: 'keep',
    quirks: { mostStops: 4 },
  },
  // No default address: vLLM's default port is also the gateway's.
  vllm: {
    developerRole: 'system',
    adaptations: [reasoningByBothNames],
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      prefix: continueFinalMessage,
      // vLLM accepts best_of, and ignores it.
      lacks: ['best_of', 'custom_tools'],
    },
  },
  sglang: {
    baseUrl: 'http://127.0.0.1:30000/v1',
    developerRole: 'system',
    adaptations: [reasoningByBothNames],
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      prefix: continueFinalMessage,
      lacks: ['best_of', 'custom_tools'],
    },
  },
  llamacpp: {
    baseUrl: 'http://127.0.0.1:8080/v1',
    isOneChoice: true,
    developerRole: 'system',
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      // Refused or ignored.
      lacks: ['echo', 'suffix', 'best_of', 'custom_tools'],
    },
  },
  ollama: {
    baseUrl: 'http://127.0.0.1:11434/v1',
    isOneChoice: true,
    developerRole: 'system',
    quirks: {
      ...oneTokenLimit,
      healthPath: '/api/version',
      takesTokenIds: false,
      lacks: ['echo', 'best_of', 'logprobs', 'logit_bias', 'custom_tools'],
    },
  },
  tgi: {
    baseUrl: 'http://127.0.0.1:3000/v1',
    isOneChoice: true,
    developerRole: 'system',
    adaptations: [wholeTopPLeftOut],
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      lacks: ['echo', 'best_of', 'custom_tools'],
      takesTokenIds: false,
      // The server's default; it can be started with another.
      mostStops: 4,
    },
  },
  lmstudio: {
    baseUrl: 'http://127.0.0.1:1234/v1',
    isOneChoice: true,
    developerRole: 'system',
    quirks: {
      ...oneTokenLimit,
      healthPath: '/v1/models',
      takesTokenIds: false,
      lacks: ['echo', 'best_of', 'custom_tools'],
    },
  },
  // `transformers serve`. No default address: its default port is also the gateway's. It ignores unknown fields.
  transformers: {
    kinds: ['chat'],
    isOneChoice: true,
    developerRole: 'system',
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      takesTokenIds: false,
      lacks: ['logprobs', 'custom_tools'],
      mostStops: 0,
    },
  },
  // https://console.groq.com/docs/openai lists the fields that are refused with 400. Answers have
  // `service_tier: "on_demand"`, which is not one of OpenAI's values. It is forwarded like all fields.
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    needsKey: true,
    kinds: ['chat'],
    isOneChoice: true,
    developerRole: 'system',
    adaptations: [messageFieldsLeftOut(['name', 'reasoning_content', 'reasoning'])],
    quirks: {
      // Refused even with values that request nothing.
      drops: ['logprobs', 'top_logprobs', 'logit_bias', 'store', 'metadata'],
      lacks: ['logprobs', 'logit_bias', 'custom_tools'],
      mostStops: 4,
      keepsReasoning: true,
    },
  },
  // Mistral refuses unknown fields with 422.
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    needsKey: true,
    kinds: ['chat'],
    relays: ['embeddings'],
    developerRole: 'system',
    adaptations: [mistralConversation, reasoningOnOrOff, streamOptionsLeftOut],
    quirks: {
      asksUsage: false,
      renames: { ...oneTokenLimit.renames, seed: 'random_seed' },
      drops: [
        ...['logprobs', 'top_logprobs', 'logit_bias', 'user', 'store', 'service_tier', 'safety_identifier'],
        ...['verbosity', 'prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'moderation'],
      ],
      relays: { renames: { dimensions: 'output_dimension' }, drops: ['user'] },
      // A prefill is marked in its message, so no further field is needed.
      prefix: {},
      repeatsPrefix: true,
      lacks: ['logprobs', 'logit_bias', 'custom_tools'],
      takesTokenIds: false,
    },
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    needsKey: true,
    developerRole: 'keep',
    quirks: { modelsOf: (answer) => readModels(answer, pricePerToken), keepsReasoning: true },
  },
  // DeepSeek's "completions" fill in the middle of code, under another path.
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    needsKey: true,
    kinds: ['chat'],
    isOneChoice: true,
    developerRole: 'system',
    quirks: { ...oneTokenLimit, lacks: ['custom_tools'], mostStops: 16 },
  },
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    needsKey: true,
    developerRole: 'system',
    adaptations: [streamOptionsLeftOut],
    quirks: { asksUsage: false, ...oneTokenLimit, lacks: ['best_of', 'custom_tools'], mostStops: 4 },
  },
}
