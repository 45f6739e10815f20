import type { Config } from '../../config.ts'
import type { Upstream } from '../../core/model/ports.ts'
import { createTokenizer } from '../../tokenizers/cl100k.ts'
import { createUpstreams } from './upstreams.ts'

/** Creates the providers of a configuration for a command, and releases them after it. */
export async function withUpstreams<T>(
  config: Config,
  version: string,
  use: (upstreams: readonly Upstream[]) => Promise<T>,
): Promise<T> {
  const clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const tools = { clock, detokenizer: createTokenizer(), userAgent: `pandotate-gateway/${version}` }
  const upstreams = [...createUpstreams(config, tools).values()]
  try {
    return await use(upstreams)
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()))
  }
}
