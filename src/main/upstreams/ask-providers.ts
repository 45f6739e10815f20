import type { Config } from '../../config.ts'
import { asFailure, type Failure } from '../../core/model/failure.ts'
import type { Clock, Upstream } from '../../core/model/ports.ts'
import { causeCodeOf } from '../../core/model/record/fields/failure-fields.ts'
import { createTokenizer } from '../../tokenizers/cl100k.ts'
import { isListing, readList } from './provider-lists.ts'
import { createUpstreams } from './upstreams.ts'

/** The result of asking a provider for its models, as one sentence. */
export type ProviderAnswer = { readonly name: string; readonly isWell: boolean; readonly text: string }

/**
 * Asks every provider in the routes for its models: whether it is reachable, accepts the key, and lists the routed
 * models. Runs no model.
 */
export async function askProviders(
  config: Config,
  clock: Clock,
  version: string,
): Promise<readonly ProviderAnswer[]> {
  const userAgent = `pandotate-gateway/${version}`
  const upstreams = createUpstreams(config, { clock, detokenizer: createTokenizer(), userAgent })
  const used = new Set(config.routes.flatMap(({ deployments }) => deployments.map((one) => one.provider)))
  try {
    const asked = [...upstreams.values()].filter(({ name }) => used.has(name) && name !== 'simulator')
    return await Promise.all(asked.map((upstream) => ask(upstream, config, clock)))
  } finally {
    await Promise.all(Array.from(upstreams.values(), (upstream) => upstream.close()))
  }
}

async function ask(upstream: Upstream, config: Config, clock: Clock): Promise<ProviderAnswer> {
  const { name } = upstream
  if (!isListing(upstream)) return { name, isWell: true, text: 'has no list of models to ask for' }
  try {
    const list = await readList(upstream, clock, new AbortController().signal)
    const listed = new Set((list.models ?? []).map(({ id }) => id))
    const missing = routedAt(config, name).filter((model) => !listed.has(model))
    const count = `answers, and accepts the key; ${listed.size} models`
    return missing.length === 0
      ? { name, isWell: true, text: `${count}, including the routed ones` }
      : { name, isWell: false, text: `${count}, but not ${missing.join(', ')}` }
  } catch (thrown) {
    return { name, isWell: false, text: faultOf(asFailure(thrown)) }
  }
}

function routedAt({ routes }: Config, provider: string): readonly string[] {
  const models = routes.flatMap(({ pattern, deployments }) =>
    deployments
      .filter((one) => one.provider === provider)
      .map(({ model = pattern }) => model)
      .filter((model) => !model.includes('*')),
  )
  return [...new Set(models)]
}

function faultOf(failure: Failure): string {
  const cause = causeCodeOf(failure)
  const more = [failure.kind, failure.upstreamStatus, cause, failure.operatorNote].filter(
    (one) => one !== undefined,
  )
  return `does not answer correctly: ${more.join(', ')}`
}
