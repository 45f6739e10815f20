import type { RawDelta } from '../core/model.ts'
import type { Sent } from '../core/ports.ts'
import type { Asked } from './refusal.ts'
import { workerFailureIn } from './runpod-error.ts'

/**
 * What came by the OpenAI path, which is a queue's too: the error of a job that failed is read as such. What else
 * there is passes as it came.
 */
export function withWorkerFailures(sent: Sent, asked: Asked): Sent {
  if ('then' in sent) return sent.then((burst) => vouched(burst, asked))
  return { [Symbol.asyncIterator]: () => new Vouched(sent[Symbol.asyncIterator](), asked) }
}

/** An iterator by hand, as there is a burst for every token. */
class Vouched implements AsyncIterator<readonly RawDelta[], undefined> {
  readonly #bursts: AsyncIterator<readonly RawDelta[]>
  readonly #asked: Asked

  constructor(bursts: AsyncIterator<readonly RawDelta[]>, asked: Asked) {
    this.#bursts = bursts
    this.#asked = asked
  }

  async next(): Promise<IteratorResult<readonly RawDelta[], undefined>> {
    const step = await this.#bursts.next()
    return step.done === true
      ? { done: true, value: undefined }
      : { done: false, value: vouched(step.value, this.#asked) }
  }

  async return(): Promise<IteratorResult<readonly RawDelta[], undefined>> {
    await this.#bursts.return?.()
    return { done: true, value: undefined }
  }
}

/** An error is the last of its burst: what came before it in there was of no use yet. */
function vouched(burst: readonly RawDelta[], asked: Asked): readonly RawDelta[] {
  const error = burst.at(-1)?.chunk['error']
  const failure = error === undefined ? undefined : workerFailureIn(error, asked)
  if (failure !== undefined) throw failure
  return burst
}
