import type { JsonObject } from '../model/json/json.ts'

/**
 * What a chunk without choices says besides its usage: the timings of llama.cpp, what Azure's filters made of the
 * prompt. Undefined when that is nothing.
 */
export function besideChoices(chunk: JsonObject): JsonObject | undefined {
  const { id, object, created, model, choices, usage, error, ...rest } = chunk
  return Object.keys(rest).length === 0 ? undefined : rest
}
