import type { Chunk, Message } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { AnswerInfo } from '../shared/dialect.ts'
import { pythonList } from './python-list.ts'

/** The body of a whole answer from `/inference`, and of the last frame of a stream. */
export function inferenceAnswer(parts: {
  readonly model: string
  readonly output: string
  readonly usage: Usage
  readonly extraKeys: ReadonlySet<string>
  readonly info: AnswerInfo
}): JsonObject {
  const { model, output, usage, extraKeys, info: told } = parts
  const { prompt_tokens, completion_tokens, total_tokens } = usage
  return {
    model,
    output,
    usage: { prompt_tokens, completion_tokens, total_tokens },
    ...(extraKeys.size === 0 ? {} : { warning: `Ignored extra keys: ${pythonList(extraKeys)}` }),
    slow: told.slow,
  }
}

/** The text of the only choice, in a whole reply or a chunk. */
export function outputOf({ choices: [choice] }: Chunk): string {
  const message = choice?.delta ?? choice?.message
  return choice?.text ?? (message?.content || refusalOf(message))
}

/** A refusal is in its own field. */
function refusalOf(message: Message | undefined): string {
  const refusal = message?.['refusal']
  return typeof refusal === 'string' ? refusal : ''
}

/** Adds the upstream's keys that are not OpenAI's to `extraKeys`, in the upstream's order. */
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
