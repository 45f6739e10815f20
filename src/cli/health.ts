import { request as askPlain } from 'node:http'
import { request as askSecure } from 'node:https'
import type { Config } from '../config.ts'
import { defineCommand } from './command.ts'
import { type ConfigOverrides, serverOptions } from './config-options.ts'
import { readConfig } from './read-config.ts'

export const health = defineCommand({
  name: 'health',
  does: 'check that the gateway of this configuration is alive: exits with 0 if it is',
  about: 'For container health checks, which then need no other program in the container.',
  options: serverOptions,
  run: ({ options }) => checkHealth(options),
})

async function checkHealth(overrides: ConfigOverrides): Promise<number> {
  try {
    const status = await ask(readConfig(overrides))
    if (status === 200) return 0
    process.stderr.write(`The gateway answers with status ${status}.\n`)
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'no reason was given'
    process.stderr.write(`The gateway does not answer: ${reason}\n`)
  }
  return 1
}

const patienceMs = 4000

function ask({ host, port, tls }: Config): Promise<number | undefined> {
  const where = host.startsWith('unix:')
    ? { socketPath: host.slice('unix:'.length) }
    : { host: near(host), port }
  // It connects to its own machine, so the certificate's name is not checked.
  const options = { ...where, path: '/livez', timeout: patienceMs, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const request = (tls === undefined ? askPlain : askSecure)(options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${patienceMs} ms`)))
    request.on('error', reject)
    request.end()
  })
}

/** The loopback address for a gateway that listens on all addresses. */
function near(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
