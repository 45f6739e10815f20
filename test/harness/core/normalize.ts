import { expect } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Ending } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer, type Normalizer } from '../../../src/core/reply/normalize.ts'
import { rawDelta } from '../scripted-upstream.ts'
import { shown } from './json-text.ts'

/** Chunks as an upstream gives them, what they become, and which repairs are named. */
export type Case = {
  readonly given: readonly JsonObject[]
  readonly becomes: readonly JsonObject[]
  readonly flags?: readonly string[]
  readonly ending?: Ending
}

export function same(...given: readonly JsonObject[]): Case {
  return { given, becomes: given }
}

export function turns(given: readonly JsonObject[], becomes: readonly JsonObject[]): Case {
  return { given, becomes }
}

/** Also: what did not change keeps its wire text, what did has lost it; and one burst is as good as many. */
export function expectNormalized(
  kind: Kind,
  stream: boolean,
  { given, becomes, flags = [], ending }: Case,
): void {
  const told = new Set<string>()
  const normalizer = start(kind, stream, told)
  const deltas = given.flatMap((chunk) => normalizer.accept([rawDelta(chunk)]))
  const ends = normalizer.finish(ending)
  expect([...deltas, ...ends].map(({ value }) => value)).toEqual(becomes)
  const wires = given.map((chunk) => JSON.stringify(chunk))
  for (const { value, source } of deltas.map(shown)) {
    const passThrough = wires.includes(JSON.stringify(value))
    expect(source).toBe(passThrough ? JSON.stringify(value) : undefined)
  }
  expect([...told]).toEqual(flags)
  const atOnce = start(kind, stream).accept(given.map(rawDelta))
  expect(atOnce).toEqual(deltas)
}

export function start(kind: Kind, stream: boolean, flags = new Set<string>(), wanted = 1): Normalizer {
  return createNormalizer({
    kind,
    stream,
    id: 'chatcmpl-own',
    createdEpochSeconds: 1_800_000_000,
    model: 'asked-for',
    wanted,
    flags,
  })
}

export function withChoice(chunk: JsonObject, extra: JsonObject): JsonObject {
  const choices = chunk['choices'] as JsonObject[]
  return { ...chunk, choices: choices.map((choice) => ({ ...choice, ...extra })) }
}
/** The opening of a chat, and a tool call in its two fragments. */
export const role = { role: 'assistant' }
export const tool = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }
export const toolMore = { index: 0, function: { arguments: '{}' } }
