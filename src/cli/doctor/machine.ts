import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { bad, type Diagnosis, good, odd } from './diagnosis.ts'

/** Checks the runtime and its options. */
export function diagnoseNode({
  versions,
  execArgv,
}: Pick<NodeJS.Process, 'versions' | 'execArgv'>): Diagnosis {
  const found = `Node.js ${versions.node}`
  if (execArgv.some((word) => word.startsWith('--max-semi-space-size'))) return good('node', found)
  return odd(
    'node',
    `${found}, without --max-semi-space-size=24`,
    'Start it with `npm start` or with the package’s command: it then uses 75 MB less memory.',
  )
}

/** Checks that the gateway can listen at its address, or already does. */
export async function diagnoseAddress({ host, port }: Config): Promise<Diagnosis> {
  if (host.startsWith('unix:')) return diagnoseSocket(host.slice('unix:'.length))
  const place = `${host}:${port}`
  const code = await listenOnce(host, port)
  if (code === undefined) return good('address', `${place} is free`)
  if (code === 'EADDRINUSE' && (await isGateway(host, port)))
    return good('address', `a gateway is running on ${place}`)
  if (code === 'EADDRINUSE')
    return bad('address', `${place} is in use by another program`, 'Set PORT, or stop that program.')
  if (code === 'EACCES')
    return bad(
      'address',
      `this user may not listen on ${place}`,
      'Use a port above 1023, or let a proxy listen there.',
    )
  return bad(
    'address',
    `cannot listen on ${place} (${code})`,
    'Set HOST to an address of this machine, or to 0.0.0.0 for all.',
  )
}

function diagnoseSocket(path: string): Diagnosis {
  try {
    accessSync(dirname(path), constants.W_OK)
    return good('address', `a socket can be created in ${dirname(path)}`)
  } catch (thrown) {
    return bad(
      'address',
      `cannot create a socket in ${dirname(path)} (${codeOf(thrown)})`,
      'Create the directory, and make it writable for this user.',
    )
  }
}

function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(codeOf(error)))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

function isGateway(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    const request = get({ host: near, port, path: '/health', timeout: 2000 }, async (response) => {
      const text = (await response.toArray()).join('')
      resolve(
        response.headers['x-request-id']?.toString().startsWith('req_') === true && text.includes('"status"'),
      )
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}

/** Checks that other users of this machine cannot read files with secrets. */
export function diagnoseSecrets(paths: readonly string[]): readonly Diagnosis[] {
  return paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || process.platform === 'win32') return []
    if ((found.mode & 0o077) === 0 || !holdsSecrets(path))
      return [good('file', `only this user can read ${path}`)]
    const mode = (found.mode & 0o777).toString(8)
    return [
      odd('file', `${path} contains secrets, and other users can read it (${mode})`, `chmod 600 ${path}`),
    ]
  })
}

/** True for a file with a key, a token or a password as a literal value rather than a variable. */
function holdsSecrets(path: string): boolean {
  return /^[^#\n]*(key|token|secret|password)\w*['"]?\s*[:=]\s*['"]?(?!\$\{)[\w./+=-]{12,}/im.test(
    readFileSync(path, 'utf8'),
  )
}

/** Checks that the data directory is writable and has free space. */
export function diagnoseData(directory: string): Diagnosis {
  const path = nearest(resolve(directory))
  try {
    accessSync(path, constants.W_OK)
  } catch (thrown) {
    return bad(
      'data',
      `${directory} is not writable (${codeOf(thrown)})`,
      'Set DATA_DIR to a directory that this user can write to.',
    )
  }
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${directory} is writable, ${(free / 1e9).toFixed(1)} GB are free`
  if (free > leastFree) return good('data', found)
  return odd(
    'data',
    found,
    'The ledger keeps up to ledger.spoolBytes there: free some space, or set DATA_DIR to another disk.',
  )
}

const leastFree = 2e9

/** The directory itself, or its nearest existing parent. */
function nearest(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined || dirname(path) === path ? path : nearest(dirname(path))
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'no error code'
}
