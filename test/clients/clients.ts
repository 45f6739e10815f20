import type { Client } from './client.ts'
import { pageOrigin } from './harness.ts'
import { browserProgram, curlProgram, goProgram, javaProgram, nodeProgram, pythonProgram } from './machine.ts'

/** The classes of the official clients but Java's, and of those that pass theirs on. */
const openaiRaises = {
  '400': 'BadRequestError 400',
  '401': 'AuthenticationError 401',
  '404': 'NotFoundError 404',
  '429': 'RateLimitError 429',
  '500': 'InternalServerError 502',
  '503': 'InternalServerError 503',
}
const anthropicRaises = { ...openaiRaises, '503': 'ServiceUnavailableError 503' }
const anthropicLacks = ['completions', 'embeddings', 'responses'] as const

/** In the order of the table. */
export const clients: readonly Client[] = [
  {
    name: '`openai`',
    runs: 'Node.js',
    setting: "`baseURL: '…/v1'`",
    lacks: [],
    raises: openaiRaises,
    cut: 'APIError',
    program: () => nodeProgram('node/openai.ts', 'openai'),
  },
  {
    name: '`openai`',
    runs: 'Chromium',
    setting: "`baseURL: '…/v1'`, `dangerouslyAllowBrowser`; the page’s origin in `cors.origins`",
    lacks: [],
    raises: openaiRaises,
    cut: 'APIError',
    program: () => browserProgram(pageOrigin),
  },
  {
    name: '`openai`',
    runs: 'Python',
    setting: '`base_url="…/v1"`',
    lacks: [],
    raises: openaiRaises,
    cut: 'APIError',
    program: () => pythonProgram('python', 'python/openai_client.py', 'openai'),
  },
  {
    name: '`openai-go`',
    runs: 'Go',
    setting: '`option.WithBaseURL("…/v1")`',
    lacks: [],
    raises: byStatus('Error'),
    cut: 'StreamError',
    program: goProgram,
  },
  {
    name: '`openai-java`',
    runs: 'Java',
    setting: '`.baseUrl("…/v1")`',
    lacks: [],
    raises: {
      '400': 'BadRequestException 400',
      '401': 'UnauthorizedException 401',
      '404': 'NotFoundException 404',
      '429': 'RateLimitException 429',
      '500': 'InternalServerException 502',
      '503': 'InternalServerException 503',
    },
    cut: 'SseException 200',
    program: javaProgram,
  },
  {
    name: '`@anthropic-ai/sdk`',
    runs: 'Node.js',
    setting: '`baseURL`, without `/v1`',
    lacks: anthropicLacks,
    raises: anthropicRaises,
    cut: 'APIError',
    program: () => nodeProgram('node/anthropic.ts', '@anthropic-ai/sdk'),
  },
  {
    name: '`anthropic`',
    runs: 'Python',
    setting: '`base_url`, without `/v1`',
    lacks: anthropicLacks,
    raises: anthropicRaises,
    cut: 'APIStatusError 200',
    program: () => pythonProgram('python', 'python/anthropic_client.py', 'anthropic'),
  },
  {
    name: '`@langchain/openai`',
    runs: 'Node.js',
    setting: "`configuration: { baseURL: '…/v1' }`",
    lacks: [],
    raises: openaiRaises,
    cut: 'APIError',
    program: () => nodeProgram('node/langchain.ts', '@langchain/openai'),
  },
  {
    name: '`langchain-openai`',
    runs: 'Python',
    setting: '`base_url="…/v1"`',
    lacks: [],
    raises: {
      '400': 'OpenAIInvalidRequestError 400',
      '401': 'OpenAIAuthenticationError 401',
      '404': 'OpenAIModelNotFoundError 404',
      '429': 'OpenAIRateLimitError 429',
      '500': 'OpenAIAPIError 502',
      '503': 'OpenAIAPIError 503',
    },
    cut: 'APIError',
    program: () => pythonProgram('python', 'python/langchain_client.py', 'langchain_openai'),
  },
  {
    name: 'LlamaIndex `OpenAILike`',
    runs: 'Python',
    setting: '`api_base="…/v1"`; `is_chat_model=True`, or it asks for completions',
    lacks: [],
    raises: openaiRaises,
    cut: 'APIError',
    program: () => pythonProgram('llamaindex', 'python/llamaindex_client.py', 'llama_index_llms_openai_like'),
  },
  {
    name: '`@ai-sdk/openai`',
    runs: 'Node.js',
    setting: "`createOpenAI({ baseURL: '…/v1' })`; it asks for responses unless told `.chat()`",
    lacks: [],
    raises: byStatus('APICallError'),
    cut: 'StreamProviderError 500',
    program: () => nodeProgram('node/ai-sdk.ts', '@ai-sdk/openai', 'openai'),
  },
  {
    name: '`@ai-sdk/openai-compatible`',
    runs: 'Node.js',
    setting: "`createOpenAICompatible({ baseURL: '…/v1' })`; `supportsStructuredOutputs` for schemas",
    lacks: ['responses'],
    raises: byStatus('APICallError'),
    cut: 'StreamProviderError',
    program: () => nodeProgram('node/ai-sdk.ts', '@ai-sdk/openai-compatible', 'compatible'),
  },
  {
    name: '`curl`',
    runs: 'a shell',
    setting: 'the whole address; `--retry 3` to be asked again, `--fail` to end with 22',
    lacks: [],
    raises: {
      '400': '22 400',
      '401': '22 401',
      '404': '22 404',
      '429': '22 429',
      '500': '22 502',
      '503': '22 503',
    },
    cut: 'upstream_stream_interrupted',
    program: curlProgram,
  },
]

/** Of a client that has one class for them all. */
function byStatus(name: string): Client['raises'] {
  return {
    '400': `${name} 400`,
    '401': `${name} 401`,
    '404': `${name} 404`,
    '429': `${name} 429`,
    '500': `${name} 502`,
    '503': `${name} 503`,
  }
}
