import { strict as assert } from 'node:assert'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import type { Kind } from '../../src/core/model/terms.ts'
import type { Heard } from './caller.ts'
import type { FaultCase } from './fault-case.ts'
import { deploymentId, type Link, type Routes, type Stage, upstreamModel } from './harness.ts'
import type { Row } from './served.ts'
import { type Sight, see } from './sights.ts'

/** A case that is one call, made in every kind and form that it holds for. */
export type Asked = Pick<FaultCase, 'fault' | 'name' | 'outcome' | 'settings'> & {
  /** The deployments of the model, in order. */
  readonly chain: readonly (Link | string)[]
  /** By default both. */
  readonly kinds?: readonly Kind[]
  readonly forms?: readonly Form[]
  /** Beside the prompt. */
  readonly body?: JsonObject
  readonly sees: Sight
  /** How often each deployment is asked; by default, once each. */
  readonly hits?: readonly number[]
  /** How each attempt ended. */
  readonly attempts: readonly string[]
  /** Oddities that the record must name. */
  readonly flags?: readonly string[]
  /** What else must be so. */
  readonly also?: (played: Played) => void | Promise<void>
}

export type Form = 'whole' | 'stream'

/** One call of a case, over. */
export type Played = {
  readonly stage: Stage
  readonly heard: Heard
  readonly row: Row
  /** The models that the deployments ask their upstreams for, and the deployments' ids. */
  readonly models: readonly string[]
  readonly deployments: readonly string[]
  readonly stream: boolean
  readonly kind: Kind
}

/** Makes a case of it. */
export function asked(given: Asked): FaultCase {
  const { fault, name, outcome, settings, kinds = ['text', 'chat'], forms = ['whole', 'stream'] } = given
  const chain = given.chain.map((link): Link => (typeof link === 'string' ? { says: link } : link))
  const ways = kinds.flatMap((kind) =>
    forms.map((form) => ({ kind, form, model: `f${fault}.${slug(name)}.${kind}.${form}` })),
  )
  const routes: Routes = Object.fromEntries(ways.map(({ model }) => [model, chain]))
  return {
    ...{ fault, name, outcome, routes },
    ...(settings === undefined ? {} : { settings }),
    async play(stage) {
      for (const way of ways) await playOne(given, chain, way, stage)
      await stage.rest()
    },
  }
}

/** The record of what a caller heard. */
export async function rowOf({ gateway }: Stage, heard: Heard): Promise<Row> {
  const id = heard.headers['x-request-id']
  assert(id !== undefined, 'an answer has no x-request-id')
  return await gateway.row(id)
}

async function playOne(
  given: Asked,
  chain: readonly Link[],
  { kind, form, model }: { readonly kind: Kind; readonly form: Form; readonly model: string },
  stage: Stage,
): Promise<void> {
  const { sees, hits = chain.map(() => 1), attempts, flags = [], body = {} } = given
  const stream = form === 'stream'
  const heard = await stage.ask({ model, kind, stream, body })
  const row = await rowOf(stage, heard)
  const models = chain.map((link, at) => upstreamModel(model, at, link))
  const where = `${kind}, ${form}`
  try {
    see(heard, sees, kind, stream)
    assert.deepEqual(
      row.attempts.map(({ outcome }) => outcome),
      attempts,
    )
    assert.deepEqual(
      models.map((one) => stage.upstream.hits(one)),
      hits,
    )
    assert.equal(row.outcome, sees === 'whole' ? 'ok' : 'failed')
    for (const flag of flags) assert(row.flags.includes(flag), `the record does not say ${flag}`)
    const deployments = chain.map((link, position) => deploymentId(model, position, link))
    await given.also?.({ stage, heard, row, models, deployments, stream, kind })
  } catch (thrown) {
    if (thrown instanceof Error) thrown.message = `${where}: ${thrown.message}`
    throw thrown
  }
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
}
