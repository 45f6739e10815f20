/** The answers to the questions of `init`. */
export type Answers = {
  /** The providers, each with the variables of its key. */
  readonly providers: readonly FoundProvider[]
  /** True: serve other machines too. */
  readonly isOpen: boolean
  readonly port: number
}

/** A provider that the environment has a key for. */
export type FoundProvider = {
  /** Its name and type in gateway.yaml, or its preset with the type `openai-compatible`. */
  readonly name: string
  readonly isPreset?: boolean
  /** The variables, all of which must be set. */
  readonly variables: readonly string[]
}

/** All providers whose keys may be in the environment. */
export const knownProviders: readonly FoundProvider[] = [
  { name: 'pandotate', variables: ['PANDOTATE_API_KEY'] },
  { name: 'together', variables: ['TOGETHER_API_KEY'] },
  { name: 'baseten', variables: ['BASETEN_API_KEY'] },
  { name: 'runpod', variables: ['RUNPOD_API_KEY', 'RUNPOD_ENDPOINT_ID'] },
  { name: 'groq', isPreset: true, variables: ['GROQ_API_KEY'] },
  { name: 'mistral', isPreset: true, variables: ['MISTRAL_API_KEY'] },
  { name: 'openrouter', isPreset: true, variables: ['OPENROUTER_API_KEY'] },
  { name: 'deepseek', isPreset: true, variables: ['DEEPSEEK_API_KEY'] },
  { name: 'fireworks', isPreset: true, variables: ['FIREWORKS_API_KEY'] },
]

/** A gateway.yaml for these answers, with comments for further editing. It contains no secret. */
export function gatewayYaml({ providers, isOpen, port }: Answers): string {
  return `# Written by \`init\`. gateway.example.yaml of the package explains every setting; \`check\` prints the resolved settings.
# Secrets are \${NAME}, from the environment or from .env beside this file. The gateway applies changes of this file while it runs.

server:
  # ${isOpen ? 'All addresses of this machine: other machines can connect, with a key.' : 'This machine only; 0.0.0.0 lets others connect.'}
  host: ${isOpen ? '0.0.0.0' : '127.0.0.1'}
  port: ${port}

auth:
  # What callers send as their key.
  keys:
    - \${GATEWAY_KEY}

${providersText(providers)}${modelsText(providers)}
# Limits for each call.
limits:
  # From the request to the end of its answer, all attempts included.
  deadlineMs: 600000
`
}

function providersText(providers: readonly FoundProvider[]): string {
  if (providers.length === 0) return ''
  const sections = providers.map(({ name, isPreset, variables: [key, endpoint] }) =>
    [
      `  ${name}:`,
      ...(isPreset ? ['    type: openai-compatible', `    preset: ${name}`] : []),
      `    apiKey: \${${key}}`,
      ...(endpoint === undefined ? [] : [`    endpointId: \${${endpoint}}`]),
    ].join('\n'),
  )
  return `# Where calls can run. The keys were found in the environment.\nproviders:\n${sections.join('\n')}\n\n`
}

function modelsText(providers: readonly FoundProvider[]): string {
  if (providers.length === 0) {
    return `# No provider's key was found: the simulator answers, and says so. Remove this section when you have a key.
models:
  '*':
    deployments:
      - provider: simulator
`
  }
  if (providers.every(({ isPreset }) => !isPreset)) {
    return `# Which model runs where. Without this section, the catalogue decides: GET /v1/models lists the models.
#models:
#  llama-3.3-70b:
#    # fallback (as written), cheapest, fastest, balanced or value.
#    route: cheapest
#    deployments:
#      - provider: ${providers[0]?.name}
#        model: meta-llama/Llama-3.3-70B-Instruct-Turbo
`
  }
  return `# Which model runs where. Any model name is passed on unchanged, to these providers in this order.
models:
  '*':
    route: fallback
    deployments:
${providers.map(({ name }) => `      - provider: ${name}\n`).join('')}`
}
