import { createHash } from 'node:crypto'
import { Failure } from '../../core/model/failure.ts'
import { createLruMap } from '../../core/model/lru-map.ts'

/** Answers of the management API by Idempotency-Key, so that a repeated request is not performed again. */
export interface IdempotentAnswers {
  /**
   * Returns the result of `perform`, or the earlier result under the same key. Throws `key_reused` if the key was used
   * with another request. Failures are not kept.
   */
  run(request: KeyedRequest, perform: () => Promise<unknown>): Promise<unknown>
}

export type KeyedRequest = {
  readonly key: string
  /** The caller's id. Keys of different callers are independent. */
  readonly caller: string
  /** The values that identify the request. */
  readonly request: unknown
}

/** Answers are kept only in the memory of this process, because some contain a secret that is stored nowhere else. */
export function createIdempotentAnswers(now: () => number): IdempotentAnswers {
  const answers = createLruMap<Kept>(mostKept)
  return {
    run({ key, caller, request }, perform) {
      if (!/^[\x20-\x7e]{1,255}$/.test(key)) throw invalidKey()
      const place = digestOf([caller, key])
      const fingerprint = digestOf(request)
      const known = answers.get(place)
      if (known !== undefined && known.untilMs > now()) {
        if (known.fingerprint === fingerprint) return known.answer
        throw new Failure('key_reused', 'This Idempotency-Key was already used with another request.', {
          param: 'Idempotency-Key',
        })
      }
      const answer = perform()
      answers.set(place, { fingerprint, answer, untilMs: now() + keptMs })
      answer.catch(() => answers.delete(place))
      return answer
    },
  }
}

type Kept = { readonly fingerprint: string; readonly answer: Promise<unknown>; readonly untilMs: number }

const mostKept = 1000
const keptMs = 3_600_000

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url')
}

function invalidKey(): Failure {
  return new Failure('invalid_request', 'An Idempotency-Key is 1 to 255 characters of printable ASCII.', {
    param: 'Idempotency-Key',
  })
}
