import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { failedDelta } from '../../core/model/fold/failed-delta.ts'
import { createFoldBound } from '../../core/model/fold/fold-bound.ts'
import { isEventStream, readWhole, type WireAnswer } from '../wire/wire-answer.ts'
import { Events, type ReadHow, readText, replyBytes } from './stream.ts'

type Readers = ReadHow & { readonly refuse: (answer: WireAnswer) => Promise<never> }

/** Reads a whole reply, also if the server streams without being asked to. */
export function replyOf(
  answered: Promise<WireAnswer>,
  name: string,
  { refuse, ...how }: Readers,
): Promise<readonly RawDelta[]> {
  return answered.then((answer) => {
    if (!isTaken(answer)) return refuse(answer)
    if (isEventStream(answer, false)) return streamedReply(answered, name, how)
    return readWhole(answer, replyBytes, (text) => readText(text, name, how))
  })
}

/** The chunks of a stream, or the whole reply of a server that does not stream. */
export function streamOf(
  ask: () => Promise<WireAnswer>,
  name: string,
  how: ReadHow,
): AsyncIterable<readonly RawDelta[]> {
  return { [Symbol.asyncIterator]: () => new Events(ask, name, how) }
}

export function isTaken({ status }: Pick<WireAnswer, 'status'>): boolean {
  return status >= 200 && status < 300
}

/** A failure is appended as the last delta: the normalizer ignores it after all choices have finished. */
async function streamedReply(
  asked: Promise<WireAnswer>,
  name: string,
  how: ReadHow,
): Promise<readonly RawDelta[]> {
  const deltas: RawDelta[] = []
  const bound = createFoldBound()
  try {
    for await (const burst of streamOf(() => asked, name, how)) {
      bound.add(burst)
      deltas.push(...burst)
    }
  } catch (thrown) {
    if (!(thrown instanceof Failure) || deltas.length === 0) throw thrown
    deltas.push(failedDelta(thrown))
  }
  return deltas
}
