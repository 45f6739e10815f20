import { fieldsForPrompt } from '../../core/adapt/prompt-fields.ts'
import type { Call } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Attempt, Detokenizer } from '../../core/model/ports.ts'
import { reasoningByBothNames } from '../openai/adaptations.ts'
import { openAiRequest, type RequestQuirks } from '../openai/request.ts'

/**
 * The worker at the endpoint. `vllm` is the vLLM worker since 2.24, which takes OpenAI's requests. `vllm-old` is the
 * vLLM worker before 2.24. `any` is any other worker; its input is the request itself.
 */
export const workers = ['vllm', 'vllm-old', 'any'] as const

export type Worker = (typeof workers)[number]

/** The body that creates a job, with the data for reading the output. */
export type JobRequest = {
  readonly text: string
  /** True if an answer with this many tokens reached its limit. Used only for output without a finish reason. */
  readonly isFull: (outputTokens: number) => boolean
  /** The worker may output plain text. */
  readonly mayAnswerInText: boolean
}

/** The worker's input for a call. Never empty. Throws `unsupported` or `invalid_request`. */
export async function jobRequest(
  call: Call,
  attempt: Attempt,
  { worker, ...parts }: InputParts,
): Promise<JobRequest> {
  if (worker === 'vllm-old') return await oldRequest(call, attempt, parts)
  const body = openAiRequest(call, attempt, worker === 'vllm' ? vllmQuirks : unchanged).text
  const route = call.kind === 'chat' ? '/v1/chat/completions' : '/v1/completions'
  const input = worker === 'any' ? body : `{"openai_route":"${route}","openai_input":${body}}`
  return { text: `{"input":${input}}`, isFull: atLeast(call.body.value), mayAnswerInText: worker === 'any' }
}

export type InputParts = {
  readonly worker: Worker
  readonly provider: string
  readonly detokenizer: Detokenizer
}

const unchanged: RequestQuirks = { asksUsage: true, renames: {}, drops: [], adapt: (body) => body }

const vllmQuirks: RequestQuirks = { ...unchanged, adapt: reasoningByBothNames }

/** The default `max_tokens` of the old worker (worker-vllm up to 2.23). */
const oldDefaultTokens = 100

async function oldRequest(
  call: Call,
  attempt: Attempt,
  { provider, detokenizer }: Omit<InputParts, 'worker'>,
): Promise<JobRequest> {
  const { notes } = attempt
  const { kept, dropped } = fieldsForPrompt(call.body.value, provider)
  if (call.body.value['echo'] === true) throw unsupported('echo', provider)
  const { model: _model, messages, prompt, user, max_completion_tokens: newer, ...rest } = kept
  notes.dropped.push(...dropped, ...(isGiven(user) ? ['user'] : []))
  if (isGiven(newer)) notes.converted.push('max_completion_tokens to max_tokens')
  const sampling: JsonObject = Object.fromEntries(Object.entries(rest).filter(([, value]) => isGiven(value)))
  if (isGiven(newer)) sampling['max_tokens'] = newer
  const isBounded = 'max_tokens' in sampling
  if (!isBounded) notes.converted.push(`max_tokens left to the worker (${oldDefaultTokens})`)
  const asked =
    call.kind === 'chat'
      ? { messages, apply_chat_template: true }
      : { prompt: await promptOf(prompt, attempt, detokenizer) }
  notes.converted.push(`${call.kind === 'chat' ? 'messages' : 'prompt'} to worker input`)
  return {
    text: JSON.stringify({ input: { ...asked, sampling_params: sampling, stream: call.stream } }),
    isFull: isBounded ? atLeast(sampling) : (outputTokens) => outputTokens === oldDefaultTokens,
    mayAnswerInText: false,
  }
}

async function promptOf(prompt: unknown, { notes }: Attempt, detokenizer: Detokenizer): Promise<string> {
  if (typeof prompt === 'string') return prompt
  if (!Array.isArray(prompt) || !prompt.every((token): token is number => typeof token === 'number')) {
    throw new Failure('invalid_request', 'prompt must be a string or an array of token ids.', {
      param: 'prompt',
    })
  }
  notes.converted.push('token ids to text (cl100k_base)')
  return await detokenizer.decode(prompt)
}

function atLeast({ max_completion_tokens: newer, max_tokens: older }: JsonObject): JobRequest['isFull'] {
  const most = newer ?? older
  return (outputTokens) => typeof most === 'number' && outputTokens >= most
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function unsupported(field: string, provider: string): Failure {
  const message = `Unsupported parameter: '${field}' is not supported by ${provider}.`
  return new Failure('unsupported', message, { param: field, provider })
}
