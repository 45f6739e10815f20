import type { Chunk, Reply, Usage } from '../../core/model/call.ts'

/**
 * The JSON text of a whole answer: the upstream's own when nothing in it changed. Clients fail without usage,
 * so the counted usage takes the place of one that is missing or says otherwise.
 */
export function renderReply({ chunk, source, usage }: Reply): string {
  if (!agrees(chunk, usage)) return JSON.stringify({ ...chunk, usage })
  return source ?? JSON.stringify(chunk)
}

function agrees({ usage: said }: Chunk, counted: Usage): boolean {
  return (
    said === counted ||
    (said?.prompt_tokens === counted.prompt_tokens &&
      said.completion_tokens === counted.completion_tokens &&
      said.total_tokens === counted.total_tokens)
  )
}
