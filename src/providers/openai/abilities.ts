import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Traits } from '../../core/model/ports.ts'

/**
 * The abilities in a model's row of a list, in the fields of Baseten (`supported_features`, `input_modalities`,
 * `max_completion_tokens`), OpenRouter (`architecture`, `supported_parameters`, `top_provider`) and Mistral
 * (`capabilities`). Missing ones are unknown.
 */
export function abilitiesIn(row: JsonObject): Traits {
  const known = {
    maxOutputTokens: maxOutputTokens(row),
    tools: toolsIn(row),
    vision: visionIn(row),
    jsonSchema: jsonSchemaIn(row),
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

/** True if the model outputs neither text nor vectors, so no call can use it. */
export function hasUnusableOutput(row: JsonObject): boolean {
  const output =
    namesIn(row['output_modalities']) ?? namesIn(objectIn(row, 'architecture')['output_modalities'])
  return output !== undefined && output.length > 0 && !output.some((one) => usableOutputs.has(one))
}

const usableOutputs = new Set(['text', 'embedding', 'embeddings', 'rerank'])

function maxOutputTokens(row: JsonObject): number | undefined {
  const counts = [row['max_completion_tokens'], objectIn(row, 'top_provider')['max_completion_tokens']]
  return counts.find((value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0) as
    | number
    | undefined
}

function toolsIn(row: JsonObject): boolean | undefined {
  const features = namesIn(row['supported_features']) ?? namesIn(row['supported_parameters'])
  return features?.includes('tools') ?? flagIn(objectIn(row, 'capabilities')['function_calling'])
}

function visionIn(row: JsonObject): boolean | undefined {
  const input = namesIn(row['input_modalities']) ?? namesIn(objectIn(row, 'architecture')['input_modalities'])
  return input?.includes('image') ?? flagIn(objectIn(row, 'capabilities')['vision'])
}

/** A list that names JSON mode but not JSON schemas means that the model lacks schemas. */
function jsonSchemaIn(row: JsonObject): boolean | undefined {
  const features = namesIn(row['supported_features']) ?? namesIn(row['supported_parameters'])
  if (features === undefined) return undefined
  if (features.some((one) => one === 'structured_outputs' || one === 'json_schema')) return true
  return features.includes('json_mode') ? false : undefined
}

/** Undefined for an empty list too, which means that the field was not filled in. */
function namesIn(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value.filter((one) => typeof one === 'string')
}

function flagIn(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function objectIn(row: JsonObject, name: string): JsonObject {
  const inner = row[name]
  return isObject(inner) ? inner : {}
}
