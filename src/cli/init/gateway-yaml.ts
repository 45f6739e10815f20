/** The answers given or detected. */
export type Answers = {
  /** The providers, each with the variables of its key. */
  readonly providers: readonly FoundProvider[]
  /** It serves other machines too. */
  readonly isOpen: boolean
  readonly port: number
}

/** A provider that the environment has a key for. */
export type FoundProvider = {
  /** Its name and type in gateway.yaml, or the preset of an OpenAI-compatible one. */
  readonly name: string
  readonly isPreset?: boolean
  /** All must be set. */
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
  return `# Made by \`init\`. gateway.example.yaml of the package has every setting, explained; \`check\` prints what this comes to.
# Secrets are \${NAME}, from the environment or from .env beside this file. A change of this file is taken while it serves.

server:
  # ${isOpen ? 'Every address of this machine: others reach it, with a key.' : 'This machine alone; 0.0.0.0 for others.'}
  host: ${isOpen ? '0.0.0.0' : '127.0.0.1'}
  port: ${port}

auth:
  # What callers send as their key.
  keys:
    - \${GATEWAY_KEY}

${providersText(providers)}${modelsText(providers)}
# What a call may cost in time and work.
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
  return `# Where calls can run. Their keys were found in the environment.\nproviders:\n${sections.join('\n')}\n\n`
}

function modelsText(providers: readonly FoundProvider[]): string {
  if (providers.length === 0) {
    return `# No provider's key was found: the simulator answers, and says so. With a key, remove this section.
models:
  '*':
    deployments:
      - provider: simulator
`
  }
  if (providers.every(({ isPreset }) => !isPreset)) {
    return `# Which model runs where. Without this section, each goes where it is known to run: GET /v1/models lists them.
#models:
#  llama-3.3-70b:
#    # fallback (as written), cheapest, fastest, balanced or value.
#    route: cheapest
#    deployments:
#      - provider: ${providers[0]?.name}
#        model: meta-llama/Llama-3.3-70B-Instruct-Turbo
`
  }
  return `# Which model runs where. Any name is asked for as it stands, here first and there next.
models:
  '*':
    route: fallback
    deployments:
${providers.map(({ name }) => `      - provider: ${name}\n`).join('')}`
}
