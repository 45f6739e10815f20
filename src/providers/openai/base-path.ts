import type { Failure } from '../../core/model/failure.ts'
import { type Address, pathNotFound, type RequestContext, readHttpError } from '../http-error/http-error.ts'
import type { Wire } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { outsideCalls } from './probe-requests.ts'

export type BasePathParts = {
  readonly wire: Wire
  readonly headers: string[]
  readonly baseUrl: string
  readonly modelsPath: string
  /** The setting that holds the address, if it is not `providers.{name}.baseUrl`. */
  readonly setting: string | undefined
}

/**
 * Distinguishes a server that lacks one ability from a wrong address: both answer 404 or 405. If the server has
 * answered a call before, it lacks the ability. Otherwise its list of models is requested, which every server has.
 */
export async function readPathError(
  answer: WireAnswer,
  path: string,
  asked: RequestContext,
  { wire, headers, baseUrl, modelsPath, setting }: BasePathParts,
): Promise<Failure> {
  const failure = await readHttpError(answer, asked)
  if (!isAboutPath(failure) || wire.hasServed()) return failure
  if (await exists(wire, modelsPath, headers, asked.provider)) return failure
  const { origin, pathname } = new URL(baseUrl)
  const below = path.replace(/\?.*/s, '').replace(pathname.replace(/\/+$/, ''), '')
  const address: Address = {
    url: origin + path,
    setting:
      setting ?? `providers.${asked.provider}.baseUrl is the part before ${below}, and usually ends in /v1.`,
  }
  return pathNotFound(failure.upstreamStatus ?? 404, asked, address)
}

/** True if the failure is about the path, or a 404 without a message. */
function isAboutPath({ code, kind, upstreamStatus, upstreamSaid }: Failure): boolean {
  if (code === 'unsupported_endpoint') return upstreamStatus !== undefined
  return kind === 'model_not_found' && upstreamStatus === 404 && upstreamSaid === undefined
}

/** True also if the request fails. */
async function exists(wire: Wire, path: string, headers: string[], provider: string): Promise<boolean> {
  try {
    const answer = await wire.get(
      path,
      headers,
      outsideCalls(`${provider}-models`, AbortSignal.timeout(patienceMs)),
    )
    answer.discard()
    const isPage = answer.header('content-type')?.startsWith('text/html') === true
    return !absentStatuses.has(answer.status) && !isPage
  } catch {
    return true
  }
}

const absentStatuses: ReadonlySet<number> = new Set([404, 405])

/** Short, because a call waits for this request. */
const patienceMs = 2000
