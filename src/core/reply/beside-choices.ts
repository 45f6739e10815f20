import type { JsonObject } from '../model/json/json.ts'

/**
 * What a chunk without choices contains besides its usage: llama.cpp's timings, Azure's filter results for the prompt.
 * Undefined if nothing.
 */
export function besideChoices(chunk: JsonObject): JsonObject | undefined {
  const { id, object, created, model, choices, usage, error, ...rest } = chunk
  return Object.keys(rest).length === 0 ? undefined : rest
}
