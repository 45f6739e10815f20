import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

/** Where Redis is, and how it is asked. */
export type RedisSettings = {
  /** `redis://` or `rediss://`; of a cluster or of sentinels, several of them. */
  readonly urls: readonly string[]
  readonly mode: 'single' | 'sentinel' | 'cluster'
  /** Of the master, as the sentinels know it. */
  readonly sentinelName: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The certificates to trust, as PEM, in place of the system's. */
  readonly ca?: string | undefined
  /** What every key begins with. */
  readonly prefix: string
  /** Without an answer for so long, it is away. */
  readonly timeoutMs: number
}

/**
 * A connection that is ready, and that ends when it is lost: nothing is queued for it, nothing is sent twice. Rejects
 * where there is none within a few seconds.
 */
export async function connect(settings: RedisSettings): Promise<Redis | Cluster> {
  const client = settings.mode === 'cluster' ? clusterOf(settings) : singleOf(settings)
  // Each is told by what it was asked for, too.
  client.on('error', () => {})
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no connection in time')), connectMs)
  try {
    await Promise.race([client.connect(), late.promise])
    return client
  } catch (thrown) {
    client.disconnect()
    throw thrown
  } finally {
    clearTimeout(timer)
  }
}

/** Longer than a server that is busy takes, and no longer than a stopped one should keep others from being tried. */
const connectMs = 2000

/** Replies come as they always did: with the protocol's third version, subscriptions share the connection. */
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
    sentinelRetryStrategy: () => null,
    ...(options.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: options.tls }),
  })
}

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
      // A certificate is for a name: what a node calls itself is looked up as it is.
      dnsLookup: (address, callback) => callback(null, address),
    },
  )
}

function optionsOf({ username, password, ca }: RedisSettings, url: URL): Common {
  const tls: ConnectionOptions | undefined =
    url.protocol === 'rediss:' ? { ...(ca === undefined ? {} : { ca }), servername: url.hostname } : undefined
  const name = username ?? decodeURIComponent(url.username)
  const word = password ?? decodeURIComponent(url.password)
  const database = Number(url.pathname.slice(1) || 0)
  return {
    ...(name === '' ? {} : { username: name }),
    ...(word === '' ? {} : { password: word }),
    ...(tls === undefined ? {} : { tls }),
    db: database,
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
