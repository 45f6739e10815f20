import type { RawDelta } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Kind } from '../../core/model/terms.ts'
import type { JobRequest } from './input.ts'

/**
 * Reads the batches of the vLLM worker up to 2.23, `{"choices": [{"tokens": ["text"]}], "usage": {"input", "output"}}`,
 * and of the one before it, `{"text": ["text"], "input_tokens", "output_tokens"}`. Neither has a finish reason: the
 * job's completion ends the answer.
 */
export interface BatchReader {
  read(batch: JsonObject): readonly RawDelta[]
  /** The ends of the choices so far. */
  end(): readonly RawDelta[]
}

export function createBatchReader(kind: Kind, isFull: JobRequest['isFull']): BatchReader {
  const begun = new Set<number>()
  let outputTokens = 0
  const choiceOf = (index: number, text: string, reason: string | null): JsonObject => ({
    index,
    ...(kind === 'text' ? { text } : { delta: text === '' ? {} : { role: 'assistant', content: text } }),
    finish_reason: reason,
  })
  return {
    read(batch) {
      const texts = textsIn(batch)
      for (const index of texts.keys()) begun.add(index)
      const usage = usageIn(batch)
      outputTokens = usage?.completion_tokens ?? outputTokens
      const { choices: _choices, usage: _usage, text: _text, ...rest } = batch
      const { input_tokens: _input, output_tokens: _output, ...extra } = rest
      const choices = texts.map((text, index) => choiceOf(index, text, null))
      return [JsonText.of({ ...extra, choices, ...(usage && { usage }) })]
    },
    end() {
      if (begun.size === 0) return []
      const reason = isFull(outputTokens) ? 'length' : 'stop'
      const choices = Array.from(begun, (index) => choiceOf(index, '', reason))
      return [JsonText.of({ choices })]
    },
  }
}

export function isBatch({ choices, text }: JsonObject): boolean {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  return (isObject(first) && 'tokens' in first) || (choices === undefined && isText(text))
}

function textsIn({ choices, text }: JsonObject): readonly string[] {
  if (!Array.isArray(choices)) return Array.isArray(text) ? text.map(joined) : [joined(text)]
  return choices.map((choice: unknown) => (isObject(choice) ? joined(choice['tokens']) : ''))
}

function joined(pieces: unknown): string {
  const list: readonly unknown[] = Array.isArray(pieces) ? pieces : [pieces]
  return list.filter((piece) => typeof piece === 'string').join('')
}

function isText(text: unknown): boolean {
  return typeof text === 'string' || (Array.isArray(text) && text.every((one) => typeof one === 'string'))
}

/** Counts over all batches so far. */
function usageIn({ usage, input_tokens, output_tokens }: JsonObject) {
  const { input, output } = isObject(usage) ? usage : { input: input_tokens, output: output_tokens }
  if (typeof input !== 'number' || typeof output !== 'number') return undefined
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
