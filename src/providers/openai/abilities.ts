import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Traits } from '../../core/model/ports.ts'

/**
 * The abilities of a model by its row in a list, under the names of Baseten (`supported_features`, `input_modalities`,
 * `max_completion_tokens`), OpenRouter (`architecture`, `supported_parameters`, `top_provider`) and Mistral
 * (`capabilities`). Others stay unknown.
 */
export function abilitiesIn(row: JsonObject): Traits {
  const told = {
    maxOutputTokens: maxOutputTokens(row),
    tools: toolsIn(row),
    vision: visionIn(row),
    jsonSchema: jsonSchemaIn(row),
  }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
}

/** It outputs neither text nor vectors: no call of this gateway can use it. */
export function isOtherThanWords(row: JsonObject): boolean {
  const output =
    namesIn(row['output_modalities']) ?? namesIn(within(row, 'architecture')['output_modalities'])
  return output !== undefined && output.length > 0 && !output.some((one) => wordy.has(one))
}

const wordy = new Set(['text', 'embedding', 'embeddings', 'rerank'])

function maxOutputTokens(row: JsonObject): number | undefined {
  const told = [row['max_completion_tokens'], within(row, 'top_provider')['max_completion_tokens']]
  return told.find((value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0) as
    | number
    | undefined
}

function toolsIn(row: JsonObject): boolean | undefined {
  const features = namesIn(row['supported_features']) ?? namesIn(row['supported_parameters'])
  return features?.includes('tools') ?? flagIn(within(row, 'capabilities')['function_calling'])
}

function visionIn(row: JsonObject): boolean | undefined {
  const input = namesIn(row['input_modalities']) ?? namesIn(within(row, 'architecture')['input_modalities'])
  return input?.includes('image') ?? flagIn(within(row, 'capabilities')['vision'])
}

/** A list with JSON mode and without JSON schemas means that there are none. */
function jsonSchemaIn(row: JsonObject): boolean | undefined {
  const features = namesIn(row['supported_features']) ?? namesIn(row['supported_parameters'])
  if (features === undefined) return undefined
  if (features.some((one) => one === 'structured_outputs' || one === 'json_schema')) return true
  return features.includes('json_mode') ? false : undefined
}

/** Undefined for an empty list too: it was not filled in. */
function namesIn(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value.filter((one) => typeof one === 'string')
}

function flagIn(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function within(row: JsonObject, name: string): JsonObject {
  const inner = row[name]
  return isObject(inner) ? inner : {}
}
