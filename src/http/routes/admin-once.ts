import { createHash } from 'node:crypto'
import { Failure } from '../../core/model/failure.ts'
import { createLruMap } from '../../core/model/lru-map.ts'

/** Answers of the management API under the Idempotency-Keys of its callers: what is asked again is not done again. */
export interface AnswersOnce {
  /**
   * What `perform` gives, or what it gave before under this key. Throws `key_reused` where something else was asked
   * then; what failed is not kept.
   */
  run(asked: AskedOnce, perform: () => Promise<unknown>): Promise<unknown>
}

export type AskedOnce = {
  readonly key: string
  /** Who asks: the key of another is another key. */
  readonly caller: string
  /** All that makes it this request. */
  readonly request: unknown
}

/** They are in this process's memory alone: some hold a secret that is nowhere else. */
export function createAnswersOnce(now: () => number): AnswersOnce {
  const answers = createLruMap<Kept>(mostKept)
  return {
    run({ key, caller, request }, perform) {
      if (!/^[\x20-\x7e]{1,255}$/.test(key)) throw refused()
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

function refused(): Failure {
  return new Failure('invalid_request', 'An Idempotency-Key is 1 to 255 characters of printable ASCII.', {
    param: 'Idempotency-Key',
  })
}
