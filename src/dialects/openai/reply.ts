import type { Chunk, Reply } from '../../core/model/call.ts'
import type { Usage } from '../../core/model/terms.ts'

/**
 * The JSON text of a whole answer: the upstream's own text if nothing changed. Clients require usage, so the counted
 * usage replaces a missing or wrong one.
 */
export function renderReply({ chunk, usage }: Reply): string {
  return isSameUsage(chunk.value, usage) ? chunk.text : JSON.stringify({ ...chunk.value, usage })
}

function isSameUsage({ usage: said }: Chunk, counted: Usage): boolean {
  return (
    said === counted ||
    (said?.prompt_tokens === counted.prompt_tokens &&
      said.completion_tokens === counted.completion_tokens &&
      said.total_tokens === counted.total_tokens &&
      details.every((name) => isSame(said[name], counted[name])))
  )
}

/** Upstreams may use other names for these details; callers read OpenAI's. */
const details = ['prompt_tokens_details', 'completion_tokens_details'] as const

function isSame(said: unknown, counted: unknown): boolean {
  return counted === undefined || said === counted || JSON.stringify(said) === JSON.stringify(counted)
}
