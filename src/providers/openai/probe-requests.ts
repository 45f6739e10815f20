import { Failure } from '../../core/model/failure.ts'
import type { Attempt, Upstream, UpstreamModel } from '../../core/model/ports.ts'
import type { Wire } from '../wire/wire.ts'
import { parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'
import { replyBytes } from './stream.ts'

export type ProbeRequestParts = {
  /** The upstream's name. */
  readonly name: string
  readonly wire: Wire
  readonly headers: string[]
  readonly modelsPath: string
  /** Reads the server's list of models. Absent: the list is not requested. May throw Failure. */
  readonly modelsOf: ((answer: unknown) => readonly UpstreamModel[]) | undefined
  /** Absent: the server has no health path. */
  readonly healthPath: string | undefined
  /** The failure for an answer whose status is an error. */
  readonly refused: (answer: WireAnswer) => Promise<Failure>
}

/** The methods of an Upstream for requests other than calls, as far as this server supports them. */
export function createProbeRequests(parts: ProbeRequestParts): Pick<Upstream, 'health' | 'listModels'> {
  const { healthPath, modelsOf } = parts
  const probes: Pick<Upstream, 'health' | 'listModels'> = {}
  if (modelsOf !== undefined) probes.listModels = (signal) => listModels(parts, modelsOf, signal)
  if (healthPath !== undefined) probes.health = (signal) => health(parts, healthPath, signal)
  return probes
}

async function listModels(
  { name, wire, headers, modelsPath, refused }: ProbeRequestParts,
  modelsOf: (answer: unknown) => readonly UpstreamModel[],
  signal: AbortSignal,
): Promise<readonly UpstreamModel[]> {
  const answer = await wire.get(modelsPath, headers, outsideCalls(`${name}-models`, signal))
  if (!isFine(answer)) throw await refused(answer)
  const text = await answer.text(replyBytes)
  const list = parseAnswer(text)
  if (list === undefined) {
    throw new Failure('invalid_response', "The upstream's list of models is not JSON.", { provider: name })
  }
  try {
    return modelsOf(list)
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown.at(name) : thrown
  }
}

async function health(
  { name, wire, headers, refused }: ProbeRequestParts,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly isReady: boolean }> {
  const answer = await wire.get(path, headers, outsideCalls(`${name}-health`, signal))
  // 503: the server is loading its model, or its engine has failed.
  if (!isFine(answer) && answer.status !== 503) throw await refused(answer)
  await answer.text(replyBytes)
  return { isReady: answer.status !== 503 }
}

function isFine({ status }: WireAnswer): boolean {
  return status >= 200 && status < 300
}

/** An attempt for a request that belongs to no call. */
export function outsideCalls(id: string, signal: AbortSignal): Attempt {
  return {
    id,
    upstreamModel: '',
    signal,
    notes: {
      headersAt: undefined,
      upstreamStatus: undefined,
      upstreamRequestId: undefined,
      billedMs: undefined,
      dropped: [],
      converted: [],
    },
  }
}
