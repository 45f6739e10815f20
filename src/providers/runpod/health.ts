import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { UpstreamHealth } from '../../core/model/ports.ts'
import { type RequestContext, readHttpError } from '../http-error/http-error.ts'
import type { Wire } from '../wire/wire.ts'
import { parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'
import { blankNotes } from './api.ts'

export type HealthParts = {
  readonly wire: Wire
  readonly path: string
  readonly headers: string[]
  readonly asked: RequestContext
}

/** The health of an endpoint with a queue. It is ready while at least one worker is up. */
export async function queueHealth(parts: HealthParts, signal: AbortSignal): Promise<UpstreamHealth> {
  const answer = await ask(parts, signal)
  const counts = countsIn(await answer.text(healthBytes))
  if (counts === undefined) {
    const { provider } = parts.asked
    throw new Failure('invalid_response', 'The upstream did not report its health.', { provider })
  }
  const { idle = 0, ready = 0, running = 0 } = counts.workers
  return {
    isReady: idle + ready + running > 0,
    queued: counts.queued,
    idleWorkers: counts.workers.idle,
    busyWorkers: counts.workers.running,
  }
}

/** The health of an endpoint behind the load balancer: its worker answers 200, or 204 while it starts. */
export async function workerHealth(parts: HealthParts, signal: AbortSignal): Promise<UpstreamHealth> {
  const answer = await ask(parts, signal)
  answer.discard()
  return { isReady: answer.status !== 204 }
}

const healthBytes = 64 * 1024

async function ask({ wire, path, headers, asked }: HealthParts, signal: AbortSignal): Promise<WireAnswer> {
  const attempt = { id: `${asked.provider}-health`, upstreamModel: '', signal, notes: blankNotes() }
  const answer = await wire.get(path, headers, attempt)
  if (answer.status < 200 || answer.status >= 300) throw await readHttpError(answer, asked)
  return answer
}

type Workers = { readonly [state in 'idle' | 'ready' | 'running']?: number | undefined }

function countsIn(text: string) {
  const body = parseAnswer(text)
  const { jobs, workers } = isObject(body) ? body : {}
  if (!isObject(jobs) || !isObject(workers)) return undefined
  const counts: Workers = {
    idle: countIn(workers, 'idle'),
    ready: countIn(workers, 'ready'),
    running: countIn(workers, 'running'),
  }
  return { queued: countIn(jobs, 'inQueue'), workers: counts }
}

function countIn(counts: JsonObject, name: string): number | undefined {
  const count = counts[name]
  return typeof count === 'number' && count >= 0 ? count : undefined
}
