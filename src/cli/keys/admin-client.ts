import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { DirectoryInUse } from '../../ledger/lock.ts'
import { openAdmin } from '../../main/tenants/open-admin.ts'
import { createLog } from '../../telemetry/log.ts'
import type { ConfigOverrides } from '../config-options.ts'
import { readConfig } from '../read-config.ts'

/** Calls the management API of the running gateway, or else works on the data directory. */
export type AdminClient = (method: string, path: string, body?: object) => Promise<JsonObject>

/** Runs with a client, and releases the data directory afterwards. Prints refusals and returns 1. */
export async function withAdmin(
  overrides: ConfigOverrides,
  run: (ask: AdminClient) => Promise<number>,
): Promise<number> {
  const config = readConfig(overrides)
  try {
    if (await isServing(config)) return await run((...asked) => askGateway(config, ...asked))
    await using admin = await openAdmin(config, createLog('silent', { write() {} }))
    return await run((...asked) => admin.ask(...asked))
  } catch (thrown) {
    const message = refusalOf(thrown, config)
    if (message === undefined) throw thrown
    process.stderr.write(`${message}\n`)
    return 1
  }
}

/** The message of an expected failure; undefined for a bug. */
function refusalOf(thrown: unknown, config: Config): string | undefined {
  if (thrown instanceof Failure) return thrown.message
  if (!(thrown instanceof DirectoryInUse)) return undefined
  const hint = 'If a gateway uses it at another address, run this command with its PORT and HOST.'
  return `No gateway answers at ${urlOf(config)}. ${thrown.message} ${hint}`
}

async function isServing(config: Config): Promise<boolean> {
  try {
    await (await fetch(`${urlOf(config)}/livez`, { signal: AbortSignal.timeout(patienceMs) })).body?.cancel()
    return true
  } catch {
    return false
  }
}

const patienceMs = 3000

async function askGateway(config: Config, method: string, path: string, body?: object): Promise<JsonObject> {
  const key = adminKeyOf(config)
  const response = await fetch(`${urlOf(config)}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (response.ok && isObject(answer)) return answer
  const error = isObject(answer) ? answer['error'] : undefined
  const told = isObject(error) ? error['message'] : undefined
  const message = typeof told === 'string' ? told : `the gateway answers with status ${response.status}`
  throw new Failure('invalid_request', message)
}

/** A key with the role `admin`: from the configuration, or the generated one. */
function adminKeyOf({ adminKeys, dataDirectory }: Config): string | undefined {
  const own = adminKeys.find(({ role }) => role === 'admin')
  if (own !== undefined) return own.key
  try {
    return readFileSync(join(dataDirectory, 'admin-key'), 'utf8').trim()
  } catch {
    return undefined
  }
}

function urlOf({ host, port, tls }: Config): string {
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `${tls === undefined ? 'http' : 'https'}://${near}:${port}`
}
