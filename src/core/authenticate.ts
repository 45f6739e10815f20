import { createHash } from 'node:crypto'
import { Failure } from './model/failure.ts'

/** Lets callers in. Without keys every caller is let in, and what they bear stays theirs. */
export interface Authenticator {
  /**
   * Says who calls. `bearer` is what the request bears, if anything. Throws `unauthorized` where keys are
   * configured and the bearer is none of them.
   */
  admit(bearer: string | undefined): Admission
}

export type Admission = {
  /** The key as an operator may see it in a log: a short fingerprint; undefined where no keys are asked for. */
  readonly principal: string | undefined
  /** The bearer, when it is the caller's own and not a key of this gateway: some upstreams accept theirs. */
  readonly credential: string | undefined
}

export function createAuthenticator(keys: readonly string[]): Authenticator {
  // Looked up by digest: how long a comparison takes tells nothing of a key.
  const known = new Set(keys.map(digest))
  if (known.size === 0) return { admit: (bearer) => ({ principal: undefined, credential: bearer }) }
  return {
    admit(bearer) {
      if (bearer === undefined) {
        throw new Failure(
          'unauthorized',
          "You didn't provide an API key. Send one of this gateway's keys as `Authorization: Bearer KEY`.",
          { code: null },
        )
      }
      const hash = digest(bearer)
      if (!known.has(hash)) throw new Failure('unauthorized', 'Incorrect API key provided.')
      return { principal: `key-${hash.slice(0, 8)}`, credential: undefined }
    },
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
