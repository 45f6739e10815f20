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
  /** What holds the address, where it is not `providers.{name}.baseUrl`. */
  readonly setting: string | undefined
}

/**
 * Reads an error as it is meant: tells a server that lacks one ability from an address that is wrong, for both say that there is no such path. It is the
 * ability where the server has answered anything here before; else its list of models is asked for, which every one has.
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
      setting ??
      `providers.${asked.provider}.baseUrl is what stands before ${below}, and mostly ends in /v1.`,
  }
  return pathNotFound(failure.upstreamStatus ?? 404, asked, address)
}

/** So it says outright, or says nothing with a 404. */
function isAboutPath({ code, kind, upstreamStatus, upstreamSaid }: Failure): boolean {
  if (code === 'unsupported_endpoint') return upstreamStatus !== undefined
  return kind === 'model_not_found' && upstreamStatus === 404 && upstreamSaid === undefined
}

/** Where nothing can be learned, too. */
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
