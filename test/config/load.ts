import * as z from 'zod'
import { type Config, ConfigError, loadWritten, type WrittenConfig } from '../../src/config.ts'
import type { Provider } from '../../src/providers/base/provider.ts'

/** Loads a configuration of a text for gateway.yaml (none: there is no such file) and an environment. */
export function load(file: string | undefined, environment: Record<string, string> = {}): Config {
  return loadBoth(file, environment).config
}

/** The same, with what is written beside it. */
export function loadBoth(file: string | undefined, environment: Record<string, string> = {}): WrittenConfig {
  return loadWritten({
    environment,
    readFile: (path) => {
      if (file !== undefined && path === 'gateway.yaml') return file
      throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
    },
    providers: testProviders,
  })
}

/** The lines of the report that the configuration is refused with. */
export function report(file: string | undefined, environment: Record<string, string> = {}): string[] {
  const lines = refusal(() => load(file, environment)).message.split('\n')
  return lines.slice(2, -1).map((line) => line.trim())
}

export function refusal(run: () => unknown): ConfigError {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown
    throw thrown
  }
  throw new Error('The configuration was applied.')
}

const clock = z.int().min(1).max(86_400_000)

const secret = z.string().min(4).meta({ secret: true })

const pandotateSettings = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).default('https://api.pandotate.com/api/inference'),
  apiKey: secret.optional(),
  clocks: z
    .strictObject({
      connectMs: clock.default(5000),
      firstTokenMs: clock.default(30_000),
      idleMs: clock.default(30_000),
      totalMs: clock.default(30_000),
    })
    .prefault({}),
  retries: z.int().min(0).max(10).default(1),
  retryDelayMs: z.int().min(0).max(60_000).default(200),
  promptFormat: z.enum(['auto', 'raw', 'chatml']).default('auto'),
  bos: z.boolean().default(false),
})

const compatibleSettings = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }),
  apiKey: secret.exactOptional(),
  headers: z
    .record(
      z
        .string()
        .regex(/^[a-z-]+$/)
        .meta({ expected: 'the name of a header' }),
      secret,
    )
    .default({}),
  region: z
    .string()
    .refine((region) => region.startsWith('eu-'), { error: 'a region of the union' })
    .exactOptional(),
  pin: z
    .string()
    .refine((pin) => pin.length > 40, { error: ({ input }) => `longer than ${input}` })
    .exactOptional(),
  weight: z.union([z.number().positive(), z.literal('auto')]).default('auto'),
  vault: z
    .strictObject({ user: z.string(), words: z.array(z.string()) })
    .meta({ secret: true })
    .exactOptional(),
})

/** Its settings come out in another shape than they go in. */
const transformedSettings = z
  .strictObject({ token: secret, label: z.string().default('none') })
  .transform(({ token, label }) => ({ token, label, header: `Bearer ${token}`, attempts: 3 }))

export const testProviders: readonly Provider[] = [
  provider('pandotate', pandotateSettings),
  provider('openai-compatible', compatibleSettings),
  provider('transformed', transformedSettings),
  provider('simulator', z.strictObject({})),
]

function provider(type: string, settings: z.ZodType): Provider {
  return {
    type,
    settings,
    create(name) {
      throw new Error(`${name} is not for calls.`)
    },
  }
}
