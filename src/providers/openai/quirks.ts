import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Lack, UpstreamModel } from '../../core/model/ports.ts'
import type { Kind, RelayKind } from '../../core/model/terms.ts'
import type { Asked } from '../http-error/http-error.ts'
import type { RelayQuirks } from './relay.ts'
import type { RequestQuirks } from './request.ts'

/** How a server differs from OpenAI's own. Absent: it does not. */
export type Quirks = Partial<RequestQuirks> & {
  /** The word before the key. */
  readonly scheme?: 'Bearer' | 'Api-Key'
  /** The server requires a key: without one, nothing is sent. */
  readonly needsKey?: boolean
  /** The setting of its key, if not `providers.{name}.apiKey`. */
  readonly keySetting?: string
  /** The setting of its address, if not `providers.{name}.baseUrl`. */
  readonly addressSetting?: string
  /**
   * The paths of `/chat/completions`, `/completions`, `/embeddings` and `/rerank` from the root of the host, if not
   * under `baseUrl`. A kind without a path is `unsupported`, which is reported before anything is sent.
   */
  readonly paths?: Readonly<Partial<Record<Kind | RelayKind, string>>>
  /** A stream without `[DONE]` was cut, even if all its choices have finished. */
  readonly needsDone?: boolean
  /** Features that it lacks, even if it accepts the field; and how many stop strings it takes. */
  readonly lacks?: readonly Lack[]
  readonly mostStops?: number
  /** False: it takes only text, so token ids are decoded here. */
  readonly takesTokenIds?: boolean
  /** Reads the answer to GET {baseUrl}/models; absent: the list is not requested. */
  readonly modelsOf?: (answer: unknown) => readonly UpstreamModel[]
  /** Its names for the fields of embeddings, and those it refuses. */
  readonly relays?: RelayQuirks
  /** It repeats the prefill when it continues an answer. */
  readonly repeatsPrefix?: boolean
  /** `reasoning` stays beside `reasoning_content` in its answers. */
  readonly keepsReasoning?: boolean
  /** The meaning of an error inside an answer in this server's own form; undefined: not its own form. */
  readonly readError?: (error: JsonObject, asked: Asked) => Failure | undefined
  /** Its health path, beside `/v1`: `/health`. Absent: its health is not requested. */
  readonly healthPath?: string
}

/** Whether messages of the role `developer` are sent unchanged, or as `system`. */
export type DeveloperRole = 'keep' | 'system'

/** The operator's corrections; they override the preset's. */
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

/** The paths on the host. A configured path is used as it is; others keep the address's query. */
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
 * The default paths of the only kinds there are. Of a preset's others only what it lists is known; a server has all.
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

/** The kinds with a path; undefined: both. */
export function kindsOf({
  chat,
  text,
}: { readonly [kind in Kind]: string | undefined }): readonly Kind[] | undefined {
  if (chat !== undefined && text !== undefined) return undefined
  return chat === undefined ? ['text'] : ['chat']
}

/** What an upstream without such a path lacks. */
export const abilities: Readonly<Record<Kind | RelayKind, string>> = {
  chat: 'chat completions',
  text: 'text completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
}
