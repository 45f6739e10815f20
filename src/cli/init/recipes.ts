/** The gateway's address, and the model for a client. */
export type ClientPlace = {
  /** `http://localhost:8000`. */
  readonly url: string
  /** A key, or a shell expression for one: `$GATEWAY_KEY`. */
  readonly key: string
  readonly model: string
  /** The model's context, and the most output that is requested. */
  readonly contextTokens: number
  readonly outputTokens: number
}

/** The setup of a client. */
export type Recipe = {
  readonly id: string
  readonly title: string
  /** Environment variables of the shell that starts it. */
  readonly variables?: (place: ClientPlace) => Readonly<Record<string, string>>
  /** A configuration file; `~` is the user's home. */
  readonly file?: {
    readonly path: string
    readonly language: string
    readonly text: (place: ClientPlace) => string
  }
  /** The command that starts it. */
  readonly command?: (place: ClientPlace) => string
  /** Advice for models with a smaller context. */
  readonly note: string
}

/** All clients that `init` knows, in the order of its list. */
export const recipes: readonly Recipe[] = [
  {
    id: 'openai',
    title: 'OpenAI’s SDKs, and tools built on them',
    variables: ({ url, key }) => ({ OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key }),
    note: 'Both SDKs read these variables; in code they are `baseURL` and `apiKey` (`base_url` and `api_key` in Python).',
  },
  {
    id: 'langchain',
    title: 'LangChain',
    file: {
      path: 'chat.py',
      language: 'python',
      text: ({ url, key, model }) => `from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="${model}", base_url="${url}/v1", api_key="${key}")
print(model.invoke("Say hello.").content)
`,
    },
    note: 'Python: `pip install langchain-openai`. In JavaScript the address is `configuration: { baseURL }`.',
  },
  {
    id: 'claude-code',
    title: 'Claude Code',
    variables: ({ url, key, model, outputTokens }) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: key,
      ANTHROPIC_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(outputTokens),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }),
    command: () => 'claude',
    note:
      'The address has no `/v1`. It asks for 32,000 tokens in each answer, more than many open models give: ' +
      '`CLAUDE_CODE_MAX_OUTPUT_TOKENS` lowers that. Use a model that calls tools well.',
  },
  {
    id: 'codex',
    title: 'Codex',
    variables: ({ key }) => ({ GATEWAY_KEY: key }),
    file: {
      path: '~/.codex/config.toml',
      language: 'toml',
      text: ({ url, model, contextTokens }) => `model = "${model}"
model_provider = "gateway"
model_context_window = ${contextTokens}

[model_providers.gateway]
name = "Pandotate Gateway"
base_url = "${url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
`,
    },
    command: () => 'codex',
    note:
      'It uses `/v1/responses` only. Without `model_context_window` it assumes that an unknown model has a large ' +
      'context, and sends more than a small one holds.',
  },
  {
    id: 'opencode',
    title: 'opencode',
    variables: ({ key }) => ({ GATEWAY_KEY: key }),
    file: {
      path: 'opencode.json',
      language: 'json',
      text: ({ url, model, contextTokens, outputTokens }) => `${JSON.stringify(
        {
          $schema: 'https://opencode.ai/config.json',
          model: `gateway/${model}`,
          provider: {
            gateway: {
              npm: '@ai-sdk/openai-compatible',
              name: 'Pandotate Gateway',
              options: { baseURL: `${url}/v1`, apiKey: '{env:GATEWAY_KEY}' },
              models: { [model]: { name: model, limit: { context: contextTokens, output: outputTokens } } },
            },
          },
        },
        null,
        2,
      )}
`,
    },
    command: () => 'opencode',
    note: '`limit` is the size of the model’s context and output: without it, opencode asks for up to 32,000 tokens.',
  },
  {
    id: 'continue',
    title: 'Continue',
    file: {
      path: '~/.continue/config.yaml',
      language: 'yaml',
      text: ({ url, key, model, contextTokens, outputTokens }) => `name: Pandotate Gateway
version: 1.0.0
schema: v1
models:
  - name: ${model}
    provider: openai
    model: ${model}
    apiBase: ${url}/v1
    apiKey: ${key}
    roles: [chat, edit, apply]
    defaultCompletionOptions:
      contextLength: ${contextTokens}
      maxTokens: ${outputTokens}
`,
    },
    command: () => 'cn',
    note:
      'For completion in the editor add `autocomplete` to the roles of a model that fills in the middle; Continue ' +
      'then asks `/v1/completions` or `/v1/fim/completions`.',
  },
  {
    id: 'aider',
    title: 'aider',
    variables: ({ url, key }) => ({ OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: key }),
    file: {
      path: '.aider.model.metadata.json',
      language: 'json',
      text: ({ model, contextTokens, outputTokens }) => `${JSON.stringify(
        {
          [`openai/${model}`]: {
            max_input_tokens: contextTokens,
            max_output_tokens: outputTokens,
            litellm_provider: 'openai',
            mode: 'chat',
          },
        },
        null,
        2,
      )}
`,
    },
    command: ({ model }) => `aider --model openai/${model}`,
    note: 'The file gives the size of the model’s context; without it, aider does not know when a chat becomes too long.',
  },
]

/** A recipe for a terminal. */
export function recipeText({ title, variables, file, command, note }: Recipe, place: ClientPlace): string {
  const exports = Object.entries(variables?.(place) ?? {}).map(([name, value]) => `export ${name}=${value}`)
  const lines = [...exports, ...(command === undefined ? [] : [command(place)])]
  const written = file === undefined ? [] : [`# ${file.path}`, ...file.text(place).trimEnd().split('\n')]
  return (
    [title, ...written, ...lines].map((line, at) => (at === 0 ? line : `  ${line}`.trimEnd())).join('\n') +
    `\n  (${note})\n`
  )
}

/** The same, as Markdown. */
export function recipePage({ title, variables, file, command, note }: Recipe, place: ClientPlace): string {
  const exports = Object.entries(variables?.(place) ?? {}).map(([name, value]) => `export ${name}=${value}`)
  const lines = [...exports, ...(command === undefined ? [] : [command(place)])]
  const written =
    file === undefined ? '' : `\`${file.path}\`:\n\n\`\`\`${file.language}\n${file.text(place)}\`\`\`\n\n`
  const shell = lines.length === 0 ? '' : `\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n\n`
  return `### ${title}\n\n${written}${shell}${note}\n`
}
