import type { JsonObject } from '../../core/model/json/json.ts'
import type { Variable } from './variable.ts'

type Meaning = Omit<Variable, 'name'>

const pairsExpected = 'name=value pairs, separated by commas, with percent-encoded values'

/** The standard variables of OpenTelemetry. Variables for traces only follow the general ones and override them. */
export const otelVariables: readonly Variable[] = [
  {
    name: 'OTEL_SDK_DISABLED',
    path: ['tracing', 'enabled'],
    convert: (text) => (isTrue(text) ? 'false' : 'true'),
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    path: ['tracing', 'endpoint'],
    convert: (base) => `${base.replace(/\/+$/, '')}/v1/traces`,
  },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', path: ['tracing', 'endpoint'] },
  ...forTraces('HEADERS', { path: ['tracing', 'headers'], convert: pairs, expected: pairsExpected }),
  ...forTraces('PROTOCOL', { path: ['tracing', 'protocol'] }),
  ...forTraces('TIMEOUT', { path: ['tracing', 'timeoutMs'] }),
  ...forTraces('COMPRESSION', { path: ['tracing', 'compression'] }),
  {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    path: ['tracing', 'resource'],
    convert: pairs,
    expected: pairsExpected,
  },
  { name: 'OTEL_SERVICE_NAME', path: ['tracing', 'serviceName'] },
  { name: 'OTEL_TRACES_SAMPLER', path: ['tracing', 'sampler'] },
  { name: 'OTEL_TRACES_SAMPLER_ARG', path: ['tracing', 'ratio'] },
  { name: 'OTEL_BSP_SCHEDULE_DELAY', path: ['tracing', 'batch', 'delayMs'] },
  { name: 'OTEL_BSP_EXPORT_TIMEOUT', path: ['tracing', 'batch', 'timeoutMs'] },
  { name: 'OTEL_BSP_MAX_QUEUE_SIZE', path: ['tracing', 'batch', 'queueSpans'] },
  { name: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', path: ['tracing', 'batch', 'spans'] },
  // Other values of this variable select other conventions.
  {
    name: 'OTEL_SEMCONV_STABILITY_OPT_IN',
    path: ['tracing', 'conventions'],
    convert: (text) => (/(^|,)\s*gen_ai_latest_experimental\s*(,|$)/.test(text) ? 'latest' : 'v1.36'),
  },
]

function forTraces(name: string, meaning: Meaning): readonly Variable[] {
  return [
    { name: `OTEL_EXPORTER_OTLP_${name}`, ...meaning },
    { name: `OTEL_EXPORTER_OTLP_TRACES_${name}`, ...meaning },
  ]
}

function isTrue(text: string): boolean {
  return text.toLowerCase() === 'true'
}

/** Parses `name=value` pairs. NaN, which no schema accepts, for invalid text. */
function pairs(text: string): JsonObject | number {
  const read: Record<string, string> = {}
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    const value = at > 0 ? decoded(pair.slice(at + 1).trim()) : undefined
    if (value === undefined) return Number.NaN
    read[pair.slice(0, at).trim()] = value
  }
  return read
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
