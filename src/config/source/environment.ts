import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError } from '../report/problem.ts'
import { otelVariables } from './otel-variables.ts'
import type { Environment } from './substitution.ts'
import type { OptionalProvider, Variable } from './variable.ts'

/**
 * The environment of the process, completed from `.env` in `directory` if it exists. The process's variables take
 * precedence, even if empty, so that a line of `.env` can be disabled for one run.
 */
export function readEnvironment(directory: string, processEnvironment: Environment): Environment {
  return { ...readDotEnv(directory), ...processEnvironment }
}

/** The variable and the option that name the configuration file. */
export const fileVariable = 'GATEWAY_CONFIG'
export const fileOption = '--config'

/** True for an option of the command. Options are added to the environment under names that no shell can set. */
export function isOption(name: string): boolean {
  return name.startsWith('--')
}

/** The variable with the text of a configuration file, for platforms without file mounts. */
export const textVariable = 'GATEWAY_YAML'

const together: OptionalProvider = { name: 'together', needs: ['TOGETHER_API_KEY'] }

const baseten: OptionalProvider = { name: 'baseten', needs: ['BASETEN_API_KEY'] }

// RunPod needs an endpoint too, because every endpoint is the operator's own.
const runpod: OptionalProvider = { name: 'runpod', needs: ['RUNPOD_API_KEY', 'RUNPOD_ENDPOINT_ID'] }

export const variables: readonly Variable[] = [
  { name: 'PANDOTATE_URL', path: ['providers', 'pandotate', 'url'] },
  { name: 'PANDOTATE_API_KEY', path: ['providers', 'pandotate', 'apiKey'] },
  {
    name: 'PANDOTATE_TIMEOUT',
    path: ['providers', 'pandotate', 'clocks', 'totalMs'],
    // Pandotate answers in one piece, so the first token arrives with the whole answer.
    followers: [
      ['providers', 'pandotate', 'clocks', 'firstTokenMs'],
      ['providers', 'pandotate', 'clocks', 'idleMs'],
    ],
    convert: secondsToMs,
    expected: 'a number of seconds above 0, at most 86400',
  },
  { name: 'PANDOTATE_RETRIES', path: ['providers', 'pandotate', 'retries'] },
  { name: 'PANDOTATE_RETRY_DELAY_MS', path: ['providers', 'pandotate', 'retryDelayMs'] },
  { name: 'TOGETHER_API_KEY', path: ['providers', 'together', 'apiKey'], of: together },
  { name: 'BASETEN_API_KEY', path: ['providers', 'baseten', 'apiKey'], of: baseten },
  { name: 'RUNPOD_API_KEY', path: ['providers', 'runpod', 'apiKey'], of: runpod },
  { name: 'RUNPOD_ENDPOINT_ID', path: ['providers', 'runpod', 'endpointId'], of: runpod },
  { name: 'ADMIN_KEY', path: ['auth', 'adminKey'] },
  { name: 'SLOW_THRESHOLD_MS', path: ['slowThresholdMs'] },
  {
    name: 'GATEWAY_KEY',
    path: ['auth', 'keys'],
    convert: listOf,
    fileTakesPrecedence: true,
    expected: 'at least 16 characters of printable ASCII, no spaces',
  },
  {
    name: 'METRICS_KEY',
    path: ['auth', 'adminKeys'],
    convert: (key) => [{ key, role: 'metrics' }],
    fileTakesPrecedence: true,
  },
  { name: 'HOST', path: ['server', 'host'] },
  { name: 'PORT', path: ['server', 'port'] },
  { name: 'WORKERS', path: ['server', 'workers'] },
  { name: 'ALLOW_UNAUTHENTICATED', path: ['server', 'allowUnauthenticated'] },
  { name: 'TRUST_PROXY', path: ['server', 'trustProxy'], convert: countOrList },
  { name: 'LOG_LEVEL', path: ['log', 'level'] },
  { name: 'LOG_FORMAT', path: ['log', 'format'] },
  { name: 'DATA_DIR', path: ['dataDirectory'] },
  { name: 'DATABASE_URL', path: ['ledger', 'databaseUrl'] },
  { name: 'REDIS_URL', path: ['shared', 'redis', 'url'] },
  { name: 'REDIS_MODE', path: ['shared', 'redis', 'mode'] },
  { name: 'REDIS_PASSWORD', path: ['shared', 'redis', 'password'] },
  { name: 'REDIS_CA', path: ['shared', 'redis', 'ca'] },
  ...otelVariables,
]

/** Options of the command that set settings. They take precedence over variables. */
export const optionVariables: readonly Variable[] = [
  { name: '--host', path: ['server', 'host'] },
  { name: '--port', path: ['server', 'port'] },
  { name: '--workers', path: ['server', 'workers'] },
]

/** A number in decimal digits; NaN for any other text. */
export function strictNumber(text: string): number {
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
}

function readDotEnv(directory: string): Environment {
  try {
    // Some editors begin a file with a byte order mark, which would become part of the first name.
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8').replace(/^\uFEFF/, ''))
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT') return {}
    if (typeof code !== 'string') throw thrown
    throw new ConfigError([{ source: '.env', place: '', message: `cannot be read (${code})` }])
  }
}

function listOf(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim())
}

function countOrList(text: string): string | readonly string[] {
  return Number.isNaN(strictNumber(text)) ? listOf(text) : text
}

function secondsToMs(text: string): number {
  const seconds = strictNumber(text)
  return seconds > 0 && seconds <= 86_400 ? Math.ceil(seconds * 1000) : Number.NaN
}
