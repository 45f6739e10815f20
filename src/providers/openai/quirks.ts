import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Lack, UpstreamModel } from '../../core/model/ports.ts'
import type { Kind, RelayKind } from '../../core/model/terms.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import type { RelayQuirks } from './relay.ts'
import type { RequestQuirks } from './request.ts'

/** Deviations of a server from OpenAI's API. Absent: as at OpenAI. */
export type Quirks = Partial<RequestQuirks> & {
  /** The scheme of the `authorization` header. */
  readonly scheme?: 'Bearer' | 'Api-Key'
  /** The server requires a key. Without one, no call is sent. */
  readonly needsKey?: boolean
  /** The setting that holds its key, if it is not `providers.{name}.apiKey`. */
  readonly keySetting?: string
  /** The setting that holds its address, if it is not `providers.{name}.baseUrl`. */
  readonly addressSetting?: string
  /**
   * The paths of each kind of call, from the root of the host. Absent: `/chat/completions`, `/completions`,
   * `/embeddings` and `/rerank` under `baseUrl`. A kind without a path is refused as `unsupported` before anything is
   * sent.
   */
  readonly paths?: Readonly<Partial<Record<Kind | RelayKind, string>>>
  /** A stream without `[DONE]` is truncated, even if all its choices have finished. */
  readonly needsDone?: boolean
  /** Features that the server lacks, even if it accepts their fields. */
  readonly lacks?: readonly Lack[]
  /** The maximum number of stop strings. */
  readonly mostStops?: number
  /** False: the server takes only text, so the gateway decodes token ids. */
  readonly takesTokenIds?: boolean
  /** Reads the answer to GET {baseUrl}/models. Absent: the list is not requested. */
  readonly modelsOf?: (answer: unknown) => readonly UpstreamModel[]
  /** Deviations of its embeddings. */
  readonly relays?: RelayQuirks
  /** The server repeats the prefill when it continues an answer. */
  readonly repeatsPrefix?: boolean
  /** Answers keep `reasoning` beside `reasoning_content`. */
  readonly keepsReasoning?: boolean
  /** Returns the failure for an error inside an answer in this server's own form; undefined for any other form. */
  readonly readError?: (error: JsonObject, asked: RequestContext) => Failure | undefined
  /** The health path, a sibling of `/v1`, for example `/health`. Absent: the health is not requested. */
  readonly healthPath?: string
}

/** Whether messages of the role `developer` are sent unchanged, or as `system`. */
export type DeveloperRole = 'keep' | 'system'

/** The operator's settings. They override the preset's. */
export type QuirkSettings = {
  readonly asksUsage?: boolean
  readonly renames?: Readonly<Record<string, string>>
  readonly drops?: readonly string[]
  readonly developerRole?: DeveloperRole
  readonly needsDone?: boolean
  readonly lacks?: readonly Lack[]
  readonly mostStops?: number
  readonly takesTokenIds?: boolean
}

/** The paths on the host. Paths in `paths` are used unchanged; the default paths keep the query of the address. */
export function pathsOf(baseUrl: string, { paths, healthPath }: Pick<Quirks, 'paths' | 'healthPath'>) {
  const { pathname, search } = new URL(baseUrl)
  const prefix = pathname.replace(/\/+$/, '')
  const usual = {
    chat: `${prefix}/chat/completions${search}`,
    text: `${prefix}/completions${search}`,
    embeddings: `${prefix}/embeddings${search}`,
    rerank: `${prefix}/rerank${search}`,
  }
  const calls: Readonly<Partial<Record<Kind | RelayKind, string>>> = paths ?? usual
  return {
    chat: calls.chat,
    text: calls.text,
    embeddings: calls.embeddings,
    rerank: calls.rerank,
    models: `${prefix}/models${search}`,
    health: healthPath === undefined ? undefined : `${prefix.replace(/\/v1$/, '')}${healthPath}`,
  }
}

/**
 * The default paths of the given kinds only. Embeddings and rerank are included if the preset lists them, or if it has
 * no kinds.
 */
export function pathsOfKinds(
  baseUrl: string,
  given: readonly Kind[] | undefined,
  ofPreset: readonly Kind[] | undefined,
  relays: readonly RelayKind[] = ofPreset === undefined ? ['embeddings', 'rerank'] : [],
): Pick<Quirks, 'paths'> {
  const kinds = given ?? ofPreset
  if (kinds === undefined) return {}
  const usual = pathsOf(baseUrl, {})
  return { paths: Object.fromEntries([...kinds, ...relays].map((kind) => [kind, usual[kind]])) }
}

/** The kinds that have a path; undefined if both have one. */
export function kindsOf({
  chat,
  text,
}: { readonly [kind in Kind]: string | undefined }): readonly Kind[] | undefined {
  if (chat !== undefined && text !== undefined) return undefined
  return chat === undefined ? ['text'] : ['chat']
}

/** Names of the abilities, for error messages. */
export const abilities: Readonly<Record<Kind | RelayKind, string>> = {
  chat: 'chat completions',
  text: 'text completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
}
