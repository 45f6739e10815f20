import * as z from 'zod'
import { conventionNames, samplerNames } from '../../core/model/trace.ts'

const hourMs = 3_600_000

/** `tracing` of gateway.yaml: the export of spans. Without an endpoint, calls are not traced. */
export const tracingSetting = z
  .strictObject({
    enabled: z.boolean().default(true),
    endpoint: z
      .string()
      .refine(isAddress)
      .meta({ expected: 'an address that begins with http:// or https://, without a user and a password' })
      .exactOptional(),
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/i), z.string().regex(/^[\x20-\x7e]*$/))
      .meta({ secret: true, expected: 'names of headers with their values, of printable ASCII' })
      .default({}),
    protocol: z.enum(['http/protobuf']).default('http/protobuf'),
    timeoutMs: z.int().min(1).max(hourMs).default(10_000),
    compression: z.enum(['none', 'gzip']).default('none'),
    serviceName: z.string().min(1).max(255).exactOptional(),
    resource: z.record(z.string().min(1).max(255), z.string().max(1024)).default({}),
    sampler: z.enum(samplerNames).default('parentbased_traceidratio'),
    ratio: z.number().min(0).max(1).default(1),
    propagate: z.boolean().default(true),
    conventions: z.enum(conventionNames).default('v1.36'),
    batch: z
      .strictObject({
        spans: z.int().min(1).max(65_536).default(512),
        queueSpans: z.int().min(1).max(1_048_576).default(2048),
        delayMs: z.int().min(1).max(hourMs).default(5000),
        timeoutMs: z.int().min(1).max(hourMs).default(30_000),
      })
      .prefault({}),
  })
  .prefault({})

/** An address with a password is refused, because addresses are displayed. */
function isAddress(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}
