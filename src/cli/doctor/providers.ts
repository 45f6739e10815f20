import type { Config } from '../../config.ts'
import { asFailure, type Failure } from '../../core/model/failure.ts'
import type { Upstream } from '../../core/model/ports.ts'
import { withTimeout } from '../../main/upstreams/with-timeout.ts'
import { withUpstreams } from '../../main/upstreams/with-upstreams.ts'
import { bad, type Diagnosis, good, odd } from './diagnosis.ts'

/** Sends each provider a request that runs no model, to check that it is reachable and accepts the key. */
export function diagnoseProviders(config: Config, version: string): Promise<readonly Diagnosis[]> {
  const used = new Set(
    config.routes.flatMap(({ deployments }) => deployments.map(({ provider }) => provider)),
  )
  return withUpstreams(config, version, (upstreams) => {
    const asked = upstreams.filter(({ name }) => name !== 'simulator' && used.has(name))
    return Promise.all(asked.map(diagnose))
  })
}

const patienceMs = 10_000

async function diagnose(upstream: Upstream): Promise<Diagnosis> {
  const of = `provider ${upstream.name}`
  if (!upstream.admits(undefined)) {
    const { keySetting = 'its apiKey', callerKey } = upstream
    const others = callerKey === undefined ? '' : `; it serves only callers that send their own ${callerKey}`
    return odd(of, `has no key${others}`, `Set ${keySetting}.`)
  }
  const question = questionOf(upstream)
  if (question === undefined) return good(of, 'has a key; not checked, because that would run a model')
  try {
    const found = await withTimeout(upstream, question, {
      signal: new AbortController().signal,
      timeoutMs: patienceMs,
    })
    return good(of, found)
  } catch (thrown) {
    return failed(of, upstream, asFailure(thrown))
  }
}

/** The request: the list of models, which requires the key; or else the health, unless that would wake a deployment. */
function questionOf(upstream: Upstream): ((signal: AbortSignal) => Promise<string>) | undefined {
  const { listModels, health } = upstream
  if (listModels !== undefined) {
    return async (signal) => `answers, and lists ${(await listModels.call(upstream, signal)).length} models`
  }
  if (health === undefined || upstream.healthWakes === true) return undefined
  return async (signal) => {
    await health.call(upstream, signal)
    return 'answers'
  }
}

function failed(of: string, { keySetting = 'its apiKey' }: Upstream, failure: Failure): Diagnosis {
  const { upstreamStatus, operatorNote } = failure
  const note = operatorNote === undefined ? '' : ` (${operatorNote})`
  if (upstreamStatus === 401 || upstreamStatus === 403) {
    return bad(of, `rejects the key${note}`, `Set ${keySetting} to a key that it accepts.`)
  }
  if (upstreamStatus === 402) return bad(of, `has no credit left${note}`, 'Check the account there.')
  if (upstreamStatus === 404)
    return odd(of, `has no list of models${note}`, 'Check baseUrl: most end in /v1.')
  if (upstreamStatus !== undefined)
    return odd(of, `answers with status ${upstreamStatus}${note}`, 'Try again later.')
  const cause = failure.cause instanceof Error && 'code' in failure.cause ? ` (${failure.cause.code})` : ''
  return bad(of, `cannot be reached${cause}${note}`, 'Check its address, and that this machine can reach it.')
}
