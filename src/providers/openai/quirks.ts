import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Lack, UpstreamModel } from '../../core/model/ports.ts'
import type { Kind, RelayKind } from '../../core/model/terms.ts'
import type { Asked } from '../http-error/http-error.ts'
import type { RelayQuirks } from './relay.ts'
import type { RequestQuirks } from './request.ts'

/** How a server differs from OpenAI's own. What is left out does not differ. */
export type Quirks = Partial<RequestQuirks> & {
  /** The word before the key. */
  readonly scheme?: 'Bearer' | 'Api-Key'
  /** The server requires a key: without one, nothing is sent. */
  readonly needsKey?: boolean
  /** What an operator sets to give it one, where it is not `providers.{name}.apiKey`. */
  readonly keySetting?: string
  /** What holds its address, where it is not `providers.{name}.baseUrl`. */
  readonly addressSetting?: string
  /**
   * Where `/chat/completions`, `/completions`, `/embeddings` and `/rerank` are, from the root of the host, when not
   * under `baseUrl`. A kind without a path is `unsupported`, told before anything is sent.
   */
  readonly paths?: Readonly<Partial<Record<Kind | RelayKind, string>>>
  /** A stream that ends without `[DONE]` was cut, even when all its choices have finished. */
  readonly needsDone?: boolean
  /** What it has not, though it may take the field; and how many stop strings it takes. */
  readonly lacks?: readonly Lack[]
  readonly mostStops?: number
  /** False: it takes text alone, and token ids are turned into it here. */
  readonly takesTokenIds?: boolean
  /** Reads the answer to GET {baseUrl}/models; without it the server's list is not asked for. */
  readonly modelsOf?: (answer: unknown) => readonly UpstreamModel[]
  /** What it calls the fields of embeddings, and which of them it refuses. */
  readonly relays?: RelayQuirks
  /** Where it goes on with an answer, it says the beginning of that again. */
  readonly repeatsPrefix?: boolean
  /** `reasoning` stays beside `reasoning_content` in what it says. */
  readonly keepsReasoning?: boolean
  /** What an error reported inside an answer means in a way of this server's own; undefined: none of its own. */
  readonly readError?: (error: JsonObject, asked: Asked) => Failure | undefined
  /** What tells how the server is doing, beside its `/v1`: `/health`. Without it, it is not asked. */
  readonly healthPath?: string
}

/** Whether messages of the role `developer` are sent as such, or as `system`. */
export type DeveloperRole = 'keep' | 'system'

/** What an operator may say of a server; it wins over the preset's. */
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
