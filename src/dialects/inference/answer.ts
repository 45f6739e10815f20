import type { Chunk, Message } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { AnswerInfo } from '../shared/dialect.ts'
import { pythonList } from './python-list.ts'

/** The body of `/inference` for a whole answer, and for the end of a stream. */
export function inferenceAnswer(parts: {
  readonly model: string
  readonly output: string
  readonly usage: Usage
  readonly extraKeys: ReadonlySet<string>
  readonly told: AnswerInfo
}): JsonObject {
  const { model, output, usage, extraKeys, told } = parts
  const { prompt_tokens, completion_tokens, total_tokens } = usage
  return {
    model,
    output,
    usage: { prompt_tokens, completion_tokens, total_tokens },
    ...(extraKeys.size === 0 ? {} : { warning: `Ignored extra keys: ${pythonList(extraKeys)}` }),
    slow: told.slow,
  }
}

/** The text of the one choice, whole or in pieces. */
export function outputOf({ choices: [choice] }: Chunk): string {
  const message = choice?.delta ?? choice?.message
  return choice?.text ?? (message?.content || refusalOf(message))
}

/** A refusal has a field of its own. */
function refusalOf(message: Message | undefined): string {
  const refusal = message?.['refusal']
  return typeof refusal === 'string' ? refusal : ''
}

/** Adds to `extraKeys` the upstream's keys beyond OpenAI's, in its order. */
export function noteExtraKeys(chunk: Chunk, extraKeys: Set<string>): void {
  for (const key of Object.keys(chunk)) if (!knownKeys.has(key)) extraKeys.add(key)
}

const knownKeys: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'system_fingerprint',
  'service_tier',
  'obfuscation',
  'error',
])
