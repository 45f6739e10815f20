import type { Call, Chunk, Delta, RawDelta } from '../../../src/core/model/call.ts'
import { asFailure, type Failure } from '../../../src/core/model/failure.ts'
import { fold } from '../../../src/core/model/fold/fold.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import { simulator } from '../../../src/providers/simulator.ts'
import { sentBursts } from '../sent.ts'
import { startAttempt } from './attempt.ts'
import { bodyOf, type CallChange } from './json-text.ts'

/** What a caller would be told in the end. */
export type Told = {
  text: string
  reason: string | null | undefined
  usage: JsonObject | undefined
  extra: JsonObject
  reply: Chunk | undefined
  failure: Partial<Failure> | undefined
}

/** Sends the call and folds its answer as the gateway does, up to a failure if there is one. */
export async function tell(
  upstream: Upstream,
  asked: Call,
  attempt = startAttempt(asked.model),
): Promise<Told> {
  const { kind, id, model } = asked
  const parts = { kind, stream: true, id, model, createdEpochSeconds: 0, flags: new Set<string>() }
  const normalizer = createNormalizer(parts)
  const deltas: Delta[] = []
  let failure: Failure | undefined
  try {
    for await (const burst of sentBursts(upstream.send(asked, attempt)))
      deltas.push(...normalizer.accept(burst))
    normalizer.finish()
  } catch (thrown) {
    failure = asFailure(thrown)
  }
  const reply = fold(deltas)?.value
  const [choice] = reply?.choices ?? []
  return {
    text: choice?.text ?? choice?.message?.content ?? '',
    reason: choice?.finish_reason,
    usage: normalizer.usage()?.raw,
    extra: { region: reply?.['region'], queue_ms: reply?.['queue_ms'] },
    reply,
    failure,
  }
}

/** The bursts of a call that does not fail, as the simulator gives them. */
export function burstsOf(upstream: Upstream, asked: Call): Promise<(readonly RawDelta[])[]> {
  return Array.fromAsync(sentBursts(upstream.send(asked, startAttempt(asked.model))))
}

/** The text of a completion's chunk. */
export function textIn({ choices }: JsonObject): unknown {
  return Array.isArray(choices) ? (choices[0]?.text ?? '') : undefined
}

/** A simulated upstream whose clocks stand still. */
export function create(): Upstream {
  return simulator.create(
    'sim',
    {},
    {
      clock: { now: () => 1234, epochMs: () => 1_700_000_000_999 },
      detokenizer: { decode: () => Promise.reject(new Error('Nothing is decoded here.')) },
      userAgent: 'test',
    },
  )
}

/** A call that says `one two`, as far as it is not told otherwise. */
export function call({ body, source, ...asked }: Pick<Call, 'model'> & CallChange): Call {
  const usual =
    asked.kind === 'chat' ? { messages: [{ role: 'user', content: 'one two' }] } : { prompt: 'one two' }
  return {
    id: `req_${'0'.repeat(32)}`,
    dialect: 'test',
    kind: 'text',
    stream: false,
    includeUsage: false,
    credential: undefined,
    deadlineMs: undefined,
    body: bodyOf(body ?? usual, source),
    ...asked,
  }
}
