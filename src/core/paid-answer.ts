import type { OpenRecord } from './account/open-record.ts'
import type { Bursts } from './attempt/attempt.ts'
import type { Call, Choice, Chunk, Delta } from './model/call.ts'
import { Failure } from './model/failure.ts'
import { JsonText } from './model/json/json-text.ts'

/** Requests a JSON answer as a stream, so that its progress is known. */
export function asStream(call: Call): Call {
  const body = call.body.with({ stream: true, stream_options: { include_usage: true } })
  return { ...call, stream: true, includeUsage: true, body }
}

/** The stream, ended with `length` when no more money can be held; the text so far is delivered. */
export function untilUnpaid<Of extends { readonly bursts: Bursts }>(
  stream: Of,
  call: Call,
  record: OpenRecord,
): Of {
  return { ...stream, bursts: shortened(stream.bursts, call, record) }
}

async function* shortened(
  bursts: Bursts,
  call: Call,
  record: OpenRecord,
): AsyncGenerator<readonly Delta[], void, void> {
  let last: Chunk | undefined
  try {
    for await (const burst of bursts) {
      last = burst.at(-1)?.value ?? last
      yield burst
    }
  } catch (thrown) {
    if (last === undefined || !(thrown instanceof Failure) || !isUnpaid(thrown)) throw thrown
    record.limitedBy(thrown.headers['x-pandotate-limit'])
    yield [JsonText.of(ended(last, call))]
  }
}

/** A budget had no room for more. */
function isUnpaid({ kind }: Failure): boolean {
  return kind === 'quota_exhausted' || kind === 'limit_reached'
}

function ended({ id, object, created, model }: Chunk, { kind }: Call): Chunk {
  const empty = kind === 'text' ? { text: '' } : { delta: {} }
  const choice: Choice = { index: 0, ...empty, finish_reason: 'length' }
  return { id, object, created, model, choices: [choice] }
}
