import { connect } from 'node:net'
import { bad, type Diagnosis, good, odd } from './diagnosis.ts'

/** Checks that Postgres listens at `DATABASE_URL`. No password is sent. */
export async function diagnosePostgres(url: string | undefined): Promise<readonly Diagnosis[]> {
  if (url === undefined) return []
  const of = 'DATABASE_URL'
  const address = URL.parse(url)
  if (address === null) return [bad(of, 'is not a URL', 'Write it as postgres://user:password@host/name.')]
  const port = Number(address.port || 5432)
  const place = `${address.hostname}:${port}`
  const answer = await ask(address.hostname.replace(/^\[|\]$/g, ''), port, mayBeEncrypted)
  if (typeof answer === 'string') {
    return [
      bad(of, `${place} cannot be reached (${answer})`, 'Check its address, and whether it is running.'),
    ]
  }
  // One letter: S for yes, N for no.
  if (answer[0] === 0x53 || answer[0] === 0x4e) return [good(of, `Postgres answers at ${place}`)]
  return [bad(of, `the server at ${place} is not Postgres`, 'Check its address and port.')]
}

/** Postgres' SSLRequest, the first message of every client. */
const mayBeEncrypted = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

const patienceMs = 5000

function ask(host: string, port: number, hello: Buffer): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patienceMs }, () => socket.write(hello))
    const settle = (answer: Buffer | string) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', settle)
    socket.once('timeout', () => settle('no answer'))
    socket.once('end', () => settle(Buffer.alloc(0)))
    socket.once('error', (error) => settle('code' in error ? String(error.code) : error.message))
  })
}

/** Compares this machine's clock with a server's `date` header. */
export async function diagnoseClock(urls: readonly string[], nowEpochMs: () => number): Promise<Diagnosis> {
  for (const url of urls) {
    const date = await dateOf(url)
    if (date === undefined) continue
    const aside = Math.round((nowEpochMs() - date) / 1000)
    const found = `${Math.abs(aside)} s ${aside < 0 ? 'behind' : 'ahead of'} ${new URL(url).host}`
    // The header has whole seconds, and the answer takes some time.
    if (Math.abs(aside) <= 5) return good('clock', `agrees with ${new URL(url).host}`)
    if (Math.abs(aside) <= 60) return good('clock', found)
    return odd('clock', found, 'Synchronize the clock by NTP: prices, budgets and records depend on it.')
  }
  return odd('clock', 'no server answered with the time', 'Check that this machine can reach its providers.')
}

async function dateOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    })
    const epochMs = Date.parse(response.headers.get('date') ?? '')
    return Number.isNaN(epochMs) ? undefined : epochMs
  } catch {
    return undefined
  }
}
