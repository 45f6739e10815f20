import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

/** The address of Redis, and how to use it. */
export type RedisSettings = {
  /** `redis://` or `rediss://`; for a cluster or sentinels, several of them. */
  readonly urls: readonly string[]
  readonly mode: 'single' | 'sentinel' | 'cluster'
  /** The master's name at the sentinels. */
  readonly sentinelName: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The trusted certificates as PEM, instead of the system's. */
  readonly ca?: string | undefined
  /** The prefix of every key. */
  readonly prefix: string
  /** Without an answer for this long, Redis counts as unavailable. */
  readonly timeoutMs: number
}

/**
 * Opens a connection that is not re-established when lost: nothing is queued for it, nothing is sent twice. Rejects if
 * there is none within a few seconds.
 */
export async function connect(settings: RedisSettings): Promise<Redis | Cluster> {
  const client = settings.mode === 'cluster' ? clusterOf(settings) : singleOf(settings)
  let cause: Error | undefined
  const note = (error: Error & { readonly lastNodeError?: Error }): void => {
    cause = error.lastNodeError ?? error
  }
  client.on('error', note).on('node error', note)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no connection in time')), connectMs)
  try {
    await Promise.race([open(client, settings), late.promise])
    return client
  } catch (thrown) {
    client.disconnect()
    // What the client rejects with says less: 'Connection is closed.'
    throw cause ?? thrown
  } finally {
    clearTimeout(timer)
  }
}

/** Longer than a busy server takes, and short enough to try other servers if one has stopped. */
const connectMs = 2000

async function open(client: Redis | Cluster, settings: RedisSettings): Promise<void> {
  await client.connect()
  // The client would continue with database 0 if there is no other.
  const database = databaseOf(settings)
  if (database > 0) await client.select(database)
}

/** The number in the path of the first URL. */
function databaseOf({ urls: [first = ''], mode }: RedisSettings): number {
  return mode === 'cluster' || first === '' ? 0 : Number(new URL(first).pathname.slice(1))
}

/** Replies in the older form: with RESP3, subscriptions share the connection. */
type Common = Omit<RedisOptions, 'replyMapping'>

function singleOf(settings: RedisSettings): Redis {
  const addresses = settings.urls.map((url) => new URL(url))
  const [first = new URL('redis://127.0.0.1')] = addresses
  const options: Common = { ...optionsOf(settings, first), retryStrategy: null, lazyConnect: true }
  if (settings.mode === 'single') return new Redis({ ...options, ...placeOf(first) })
  return new Redis({
    ...options,
    sentinels: addresses.map((address) => placeOf(address, 26_379)),
    name: settings.sentinelName,
    ...sentinelSecretOf(settings, first),
    sentinelRetryStrategy: () => null,
    ...(options.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
  })
}

/**
 * The URL is the sentinels': so is its password, and the master has another if one is set separately. A sentinel without
 * a password accepts any, but no other user.
 */
function sentinelSecretOf({ password }: RedisSettings, url: URL): SentinelSecret {
  const word = decodeURIComponent(url.password) || password
  const name = password === undefined ? '' : decodeURIComponent(url.username)
  return {
    ...(word === undefined ? {} : { sentinelPassword: word }),
    ...(name === '' ? {} : { sentinelUsername: name }),
  }
}

type SentinelSecret = Pick<RedisOptions, 'sentinelPassword' | 'sentinelUsername'>

function clusterOf(settings: RedisSettings): Cluster {
  const addresses = settings.urls.map((url) => new URL(url))
  const [first = new URL('redis://127.0.0.1')] = addresses
  return new Cluster(
    addresses.map((address) => placeOf(address)),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: null,
      slotsRefreshTimeout: connectMs,
      redisOptions: optionsOf(settings, first),
      // Certificates are for names: a node's announced name is used as it is.
      dnsLookup: (address, callback) => callback(null, address),
    },
  )
}

function optionsOf({ username, password, ca }: RedisSettings, url: URL): Common {
  const tls: ConnectionOptions | undefined =
    url.protocol === 'rediss:' ? { ...(ca === undefined ? {} : { ca }), servername: url.hostname } : undefined
  const name = username ?? decodeURIComponent(url.username)
  const word = password ?? decodeURIComponent(url.password)
  return {
    ...(name === '' ? {} : { username: name }),
    ...(word === '' ? {} : { password: word }),
    ...(tls === undefined ? {} : { tls }),
    connectionName: 'pandotate-gateway',
    connectTimeout: connectMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    noDelay: true,
  }
}

function placeOf(address: URL, port = 6379): { readonly host: string; readonly port: number } {
  const { hostname, port: given } = address
  // URL puts an IPv6 address in brackets.
  return { host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: given === '' ? port : Number(given) }
}
