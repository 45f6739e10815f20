/** A route as data: the calls for a name, or for a pattern of names, and where they go, in order. */
export type DefaultRoute = {
  readonly pattern: string
  readonly strategy: 'fallback'
  readonly deployments: readonly [DefaultDeployment, ...DefaultDeployment[]]
}

/** A model at a provider; without a name it is asked for as the caller spelled it. */
export type DefaultDeployment = { readonly provider: string; readonly model?: string }

/**
 * Where models go when no configuration says it: to those of `availableProviders` that can run them, Pandotate last,
 * and every other name to Pandotate alone. A name that only Pandotate can run has no route of its own.
 */
export function defaultModels(availableProviders: ReadonlySet<string>): readonly DefaultRoute[] {
  const fallback = availableProviders.has(pandotate.provider) ? [pandotate] : []
  const routes = modelMap.flatMap(({ names, places }) => {
    const [first, ...rest] = places.filter(({ provider }) => availableProviders.has(provider))
    if (first === undefined) return []
    const deployments = [first, ...rest, ...fallback] as const
    return names.map((pattern) => ({ pattern, strategy: 'fallback' as const, deployments }))
  })
  const others = fallback.map((only) => ({
    pattern: '*',
    strategy: 'fallback' as const,
    deployments: [only] as const,
  }))
  return [...routes, ...others]
}

type ModelRow = { readonly names: readonly string[]; readonly places: readonly DefaultDeployment[] }

/** Knows the short names, and is asked for any name as it stands. */
const pandotate: DefaultDeployment = { provider: 'pandotate' }

/** A RunPod endpoint runs whatever its owner has put there, under its full name, and refuses other names. */
const runpod: DefaultDeployment = { provider: 'runpod' }

/**
 * The map, to be changed here. As of August 2026 Together runs one Llama and a few Qwens, and no Mistral, for anyone
 * with a key; Baseten's shared models are of none of the three families. Of what both run, Baseten asks no more for it
 * than Together. A short name stands for one model and no other. Where several names fit, the router takes the exact
 * one, then the longest.
 */
const modelMap: readonly ModelRow[] = [
  {
    names: [...instructed('llama-3.3-70b'), 'llama3.3', 'llama3.3:70b', 'meta-llama/Llama-3.3-70B-Instruct'],
    places: [
      together('meta-llama/Llama-3.3-70B-Instruct-Turbo'),
      onRunpod('meta-llama/Llama-3.3-70B-Instruct'),
    ],
  },
  {
    names: ['meta-llama/Llama-3.3-70B-Instruct-Turbo'],
    places: [together('meta-llama/Llama-3.3-70B-Instruct-Turbo')],
  },
  {
    names: [...instructed('qwen-2.5-7b'), 'qwen2.5:7b', 'Qwen/Qwen2.5-7B-Instruct'],
    places: [together('Qwen/Qwen2.5-7B-Instruct-Turbo'), onRunpod('Qwen/Qwen2.5-7B-Instruct')],
  },
  { names: ['Qwen/Qwen2.5-7B-Instruct-Turbo'], places: [together('Qwen/Qwen2.5-7B-Instruct-Turbo')] },
  {
    names: ['qwen-3.5-9b', 'qwen3.5-9b', 'qwen3.5:9b', 'Qwen/Qwen3.5-9B'],
    places: [together('Qwen/Qwen3.5-9B'), onRunpod('Qwen/Qwen3.5-9B')],
  },
  { names: ['qwen-3.6-plus', 'qwen3.6-plus', 'Qwen/Qwen3.6-Plus'], places: [together('Qwen/Qwen3.6-Plus')] },
  { names: ['qwen-3.7-max', 'qwen3.7-max', 'Qwen/Qwen3.7-Max'], places: [together('Qwen/Qwen3.7-Max')] },
  { names: ['Qwen/Qwen3.8-2.4T-A95B'], places: [together('Qwen/Qwen3.8-2.4T-A95B')] },
  // For embeddings.
  {
    names: namesOf('intfloat/multilingual-e5-large-instruct'),
    places: [together('intfloat/multilingual-e5-large-instruct')],
  },

  { names: instructed('mistral-7b'), places: [onRunpod('mistralai/Mistral-7B-Instruct-v0.3')] },
  { names: instructed('mixtral-8x7b'), places: [onRunpod('mistralai/Mixtral-8x7B-Instruct-v0.1')] },
  { names: instructed('mistral-small-24b'), places: [onRunpod('mistralai/Mistral-Small-24B-Instruct-2501')] },
  { names: instructed('llama-3.1-8b'), places: [onRunpod('meta-llama/Llama-3.1-8B-Instruct')] },
  { names: instructed('llama-3.1-70b'), places: [onRunpod('meta-llama/Llama-3.1-70B-Instruct')] },
  { names: instructed('qwen-2.5-72b'), places: [onRunpod('Qwen/Qwen2.5-72B-Instruct')] },
  { names: ['qwen-3-32b', 'qwen3-32b', 'qwen3:32b'], places: [onRunpod('Qwen/Qwen3-32B')] },

  {
    names: [...namesOf('openai/gpt-oss-120b'), 'gpt-oss:120b'],
    places: [baseten('openai/gpt-oss-120b'), together('openai/gpt-oss-120b')],
  },
  {
    names: [...namesOf('openai/gpt-oss-20b'), 'gpt-oss:20b'],
    places: [together('openai/gpt-oss-20b')],
  },
  atBoth('zai-org/GLM-5.2'),
  { names: namesOf('zai-org/GLM-5.2-Fast'), places: [baseten('zai-org/GLM-5.2-Fast')] },
  atBoth('moonshotai/Kimi-K3'),
  atBoth('deepseek-ai/DeepSeek-V4-Pro'),
  atBoth('deepseek-ai/DeepSeek-V4-Pro-0813'),
  atBoth('deepseek-ai/DeepSeek-V4-Flash-0731'),
  {
    names: [
      ...namesOf('nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B'),
      ...namesOf('nvidia/nemotron-3-ultra-550b-a55b'),
      'nemotron-3-ultra',
    ],
    places: [
      baseten('nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B'),
      together('nvidia/nemotron-3-ultra-550b-a55b'),
    ],
  },
  {
    names: ['thinkingmachines/Inkling', ...namesOf('thinkingmachines/inkling')],
    places: [baseten('thinkingmachines/inkling'), together('thinkingmachines/Inkling')],
  },

  { names: ['mistralai/*', 'meta-llama/*', 'Qwen/*'], places: [runpod] },
  { names: ['mistral*', 'mixtral*', 'llama*', 'qwen*'], places: [runpod] },
]

/** The ways in which a model is named in short: `llama-3.3-70b`, `llama3.3-70b-instruct`. */
function instructed(name: string): readonly string[] {
  const joined = name.replace(/^(llama|qwen)-/, '$1')
  return [...new Set([name, joined])].flatMap((each) => [each, `${each}-instruct`])
}

/** The full name, and what is short for it: the same without its owner, in small letters. */
function namesOf(id: string): readonly string[] {
  return [id, id.slice(id.indexOf('/') + 1).toLowerCase()]
}

/** One that goes by the same name at both. */
function atBoth(id: string): ModelRow {
  return { names: namesOf(id), places: [baseten(id), together(id)] }
}

function baseten(model: string): DefaultDeployment {
  return { provider: 'baseten', model }
}

function together(model: string): DefaultDeployment {
  return { provider: 'together', model }
}

function onRunpod(model: string): DefaultDeployment {
  return { ...runpod, model }
}
