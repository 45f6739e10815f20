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
