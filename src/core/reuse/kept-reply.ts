import type { Chunk, Reply } from '../model/call.ts'
import { parseJson } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Baseline } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'

/** An answer, where it was made, and its cost; undefined if unknown. */
export type CachedReply = {
  readonly reply: Reply
  readonly deployment: string
  readonly costNanoUsd: number | undefined
  /** The baseline of its saving. */
  readonly baseline: Baseline | undefined
}

/** An answer as text: each reader gets its own copy, and the size is known. */
export type PackedReply = Omit<CachedReply, 'reply'> & {
  readonly chunkText: string
  readonly usageText: string
}

export function packReply({ reply, deployment, costNanoUsd, baseline }: CachedReply): PackedReply {
  const { chunk, usage } = reply
  return { chunkText: chunk.text, usageText: JSON.stringify(usage), deployment, costNanoUsd, baseline }
}

export function unpackReply({ chunkText, usageText, ...others }: PackedReply): CachedReply {
  const { deployment, costNanoUsd, baseline } = others
  const reply: Reply = {
    // `packReply` made the texts from these types.
    chunk: JsonText.read(parseJson(chunkText) as Chunk, chunkText),
    usage: parseJson(usageText) as Usage,
  }
  return { reply, deployment, costNanoUsd, baseline }
}

/** A packed reply from its JSON, as `JSON.stringify` made it. */
export function packedReplyIn(text: string): PackedReply {
  return parseJson(text) as unknown as PackedReply
}
