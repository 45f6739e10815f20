import type { RawDelta } from '../../core/model/call.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import { isEventStream } from '../wire/event-stream-type.ts'
import { readWhole } from '../wire/whole-text.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { readReply } from './answer.ts'
import { Events, replyBytes } from './stream.ts'

type Readers = { readonly readError: ReadError; readonly refuse: (answer: WireAnswer) => Promise<never> }

/** A whole reply, also from a server that streams what it was not asked to. */
export function replyOf(
  asked: Promise<WireAnswer>,
  name: string,
  { readError, refuse }: Readers,
): Promise<readonly RawDelta[]> {
  return asked.then((answer) => {
    if (!isTaken(answer)) return refuse(answer)
    if (isEventStream(answer, false)) return streamedReply(asked, name, readError)
    return readWhole(answer, replyBytes, (text) => [readReply(text, name, readError)])
  })
}

/** The chunks of a stream, or the whole reply of a server that does not stream. */
export function streamOf(
  ask: () => Promise<WireAnswer>,
  name: string,
  readError: ReadError,
  needsDone = false,
): AsyncIterable<readonly RawDelta[]> {
  return { [Symbol.asyncIterator]: () => new Events(ask, name, readError, needsDone) }
}

export function isTaken({ status }: Pick<WireAnswer, 'status'>): boolean {
  return status >= 200 && status < 300
}

async function streamedReply(
  asked: Promise<WireAnswer>,
  name: string,
  readError: ReadError,
): Promise<readonly RawDelta[]> {
  const deltas: RawDelta[] = []
  for await (const burst of streamOf(() => asked, name, readError)) deltas.push(...burst)
  return deltas
}
