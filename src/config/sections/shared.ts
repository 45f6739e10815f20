import * as z from 'zod'

const address = 'rediss?://[^\\s,]+'

const text = z.string().min(1).max(512)

/** `shared` of gateway.yaml: the state that nodes share, and the behaviour while it is unavailable. */
export const sharedSetting = z
  .strictObject({
    onLoss: z.enum(['local', 'closed', 'open']).default('local'),
    leasePercent: z.int().min(0).max(100).default(20),
    goneAfterMs: z.int().min(2000).max(3_600_000).default(15_000),
    redis: z
      .strictObject({
        url: z
          .string()
          .regex(new RegExp(`^${address}(,${address})*$`))
          .refine((urls) => urls.split(',').every(isUsable))
          .meta({ secret: true, expected: 'redis://host:6379, or several, separated by commas' })
          .exactOptional(),
        mode: z.enum(['single', 'sentinel', 'cluster']).default('single'),
        sentinelName: text.default('mymaster'),
        username: text.exactOptional(),
        password: text.meta({ secret: true }).exactOptional(),
        ca: z
          .string()
          .regex(/-----BEGIN CERTIFICATE-----/)
          .meta({ expected: 'certificates as PEM' })
          .exactOptional(),
        prefix: z
          .string()
          .regex(/^[\w.-]{1,64}$/)
          .meta({ expected: 'at most 64 letters, digits and . _ -' })
          .default('pandotate'),
        timeoutMs: z.int().min(5).max(10_000).default(100),
      })
      .check(({ value: { url, mode }, issues }) => {
        const message = url === undefined ? undefined : modeFor(url.split(','), mode)
        if (message !== undefined) issues.push({ code: 'custom', path: ['mode'], input: mode, message })
      })
      .prefault({}),
  })
  .prefault({})

/** A path is the number of a database; a name and a password are percent-encoded. */
function isUsable(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password, pathname } = new URL(url)
  return /^\/?\d{0,5}$/.test(pathname) && [username, password].every(isDecodable)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The modes that fit the addresses; undefined if the given one does. */
function modeFor(urls: readonly string[], mode: 'single' | 'sentinel' | 'cluster'): string | undefined {
  if (mode === 'single' && urls.length > 1) return 'sentinel or cluster, as the URL has several addresses'
  const hasDatabase = urls.some((url) => /^\w+:\/\/[^/]+\/0*[1-9]/.test(url))
  return mode === 'cluster' && hasDatabase ? 'single or sentinel, as the URL names a database' : undefined
}
