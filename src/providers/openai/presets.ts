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
import { mistralConversation, thinksOrNot } from './mistral.ts'
import { pricePerToken, readModels } from './models.ts'
import type { DeveloperRole, QuirkSettings, Quirks } from './quirks.ts'
import { continueFinalMessage } from './request.ts'

/** What is known of a server or service by its name. What is left out is as it is with OpenAI's own. */
export type Preset = {
  /** Where it is when nothing else is said. */
  readonly baseUrl?: string
  /** What it can be asked for; left out: both. */
  readonly kinds?: readonly Kind[]
  /** What it has beside them, where that is known; left out: what a server has that has both kinds. */
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

/** The quirks of a server of a preset, as the operator corrects them. */
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

/** Older servers know the one name alone, some ignore the other, and then an answer has no end. */
const oneTokenLimit = { renames: { max_completion_tokens: 'max_tokens' } }

/** A server of which nothing is known but that it speaks OpenAI's format. */
export const unnamed: Preset = { developerRole: 'keep', quirks: oneTokenLimit }

/** OpenAI's own, and Azure's: some of their models refuse the older name. */
const newerHosts = /(?:^|\.)(?:openai\.com|openai\.azure\.com|cognitiveservices\.azure\.com|ai\.azure\.com)$/

export const presets: Readonly<Record<PresetName, Preset>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    needsKey: true,
    developerRole: 'keep',
    quirks: { mostStops: 4 },
  },
  // Its own port is the gateway's own, too, so there is no address to assume.
  vllm: {
    developerRole: 'system',
    adaptations: [reasoningByBothNames],
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
      prefix: continueFinalMessage,
      // It takes a best_of, and heeds it no longer.
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
  // What is a 400 there, or passed over.
  llamacpp: {
    baseUrl: 'http://127.0.0.1:8080/v1',
    isOneChoice: true,
    developerRole: 'system',
    quirks: {
      ...oneTokenLimit,
      healthPath: '/health',
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
      // Unless it was started with another bound.
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
  // `transformers serve`: its own port is the gateway's own. What it does not know it passes over without a word.
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
  // https://console.groq.com/docs/openai lists what is a 400 there. Its answers say `service_tier: "on_demand"`, which
  // is none of OpenAI's own words: it is passed on, as all that an upstream says is; only clients that hold answers
  // to OpenAI's types mind it.
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    needsKey: true,
    kinds: ['chat'],
    isOneChoice: true,
    developerRole: 'system',
    adaptations: [messageFieldsLeftOut(['name', 'reasoning_content', 'reasoning'])],
    quirks: {
      // With what asks for nothing in them.
      drops: ['logprobs', 'top_logprobs', 'logit_bias', 'store', 'metadata'],
      lacks: ['logprobs', 'logit_bias', 'custom_tools'],
      mostStops: 4,
      keepsReasoning: true,
    },
  },
  // Strict: a field it does not know is a 422.
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    needsKey: true,
    kinds: ['chat'],
    relays: ['embeddings'],
    developerRole: 'system',
    adaptations: [mistralConversation, thinksOrNot, streamOptionsLeftOut],
    quirks: {
      asksUsage: false,
      renames: { ...oneTokenLimit.renames, seed: 'random_seed' },
      drops: [
        ...['logprobs', 'top_logprobs', 'logit_bias', 'user', 'store', 'service_tier', 'safety_identifier'],
        ...['verbosity', 'prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'moderation'],
      ],
      relays: { renames: { dimensions: 'output_dimension' }, drops: ['user'] },
      // The beginning of an answer is marked in its message.
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
  // What it calls completions fills in the middle of code, and is elsewhere.
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
