import type { Failure } from '../../core/model/failure.ts'
import { type Address, type Asked, pathNotFound, readHttpError } from '../http-error/http-error.ts'
import type { Wire } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { aside } from './probe-requests.ts'

export type BasePathParts = {
  readonly wire: Wire
  readonly headers: string[]
  readonly baseUrl: string
  readonly modelsPath: string
  /** The setting of the address, if not `providers.{name}.baseUrl`. */
  readonly setting: string | undefined
}

/**
 * Distinguishes a server that lacks one ability from a wrong address, because both answer that there is no such path.
 * If the server has answered anything here before, it lacks the ability; else its list of models is requested, which
 * every server has.
 */
export async function readPathError(
  answer: WireAnswer,
  path: string,
  asked: Asked,
  { wire, headers, baseUrl, modelsPath, setting }: BasePathParts,
): Promise<Failure> {
  const failure = await readHttpError(answer, asked)
  if (!isAboutPath(failure) || wire.hasServed()) return failure
  if (await isThere(wire, modelsPath, headers, asked.provider)) return failure
  const { origin, pathname } = new URL(baseUrl)
  const below = path.replace(/\?.*/s, '').replace(pathname.replace(/\/+$/, ''), '')
  const address: Address = {
    url: origin + path,
    setting:
      setting ?? `providers.${asked.provider}.baseUrl is the part before ${below}, and usually ends in /v1.`,
  }
  return pathNotFound(failure.upstreamStatus ?? 404, asked, address)
}

/** True if it says so outright, or is a 404 without text. */
function isAboutPath({ code, kind, upstreamStatus, upstreamSaid }: Failure): boolean {
  if (code === 'unsupported_endpoint') return upstreamStatus !== undefined
  return kind === 'model_not_found' && upstreamStatus === 404 && upstreamSaid === undefined
}

/** Also if nothing can be learned. */
async function isThere(wire: Wire, path: string, headers: string[], provider: string): Promise<boolean> {
  try {
    const answer = await wire.get(path, headers, aside(`${provider}-models`, AbortSignal.timeout(patienceMs)))
    answer.discard()
    const isPage = answer.header('content-type')?.startsWith('text/html') === true
    return !absent.has(answer.status) && !isPage
  } catch {
    return true
  }
}

const absent: ReadonlySet<number> = new Set([404, 405])

/** A call waits for it. */
const patienceMs = 2000
