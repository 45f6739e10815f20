import { strict as assert } from 'node:assert'
import { type Asked, asked } from '../asked-case.ts'
import type { FaultCase } from '../fault-case.ts'
import { answerText } from '../upstream/answer.ts'
import { wordsBefore } from '../upstream/stream-faults.ts'

type Break = readonly [name: string, says: string, attempt: string, code: string]

const interrupted = ['interrupted', 'upstream_stream_interrupted'] as const
const quick = { idleMs: 200 }

const breaks: readonly Break[] = [
  ['reset', 'cut-reset', ...interrupted],
  ['closed', 'cut-close', ...interrupted],
  ['ended by the connection, cleanly', 'cut-clean', ...interrupted],
  ['ended as HTTP ends a body', 'cut-ended', ...interrupted],
  ['`[DONE]` without a finish_reason', 'cut-done', ...interrupted],
  ['an error in the middle', 'error-after', 'upstream_error', 'upstream_error'],
  ['an event that is not JSON', 'garbage-after', 'invalid_response', 'upstream_invalid_response'],
  ['silence in the middle', 'stall-after', 'timeout', 'upstream_timeout'],
  ['a drip of single bytes', 'drip-after', 'timeout', 'upstream_timeout'],
]

const alone = ([name, says, attempt, code]: Break): FaultCase =>
  asked({
    fault: 16,
    name: `${name}, and nowhere else to go`,
    chain: [{ says, clocks: quick }],
    forms: ['stream'],
    sees: { words: wordsBefore, code },
    outcome: 'what was said, one error in the stream, no `[DONE]`; what was used is booked',
    attempts: [attempt],
    also({ row }) {
      assert.equal(row.attempts[0]?.isEstimated, true)
      assert((row.attempts[0]?.costNanoUsd ?? 0) > 0)
    },
  })

const withAnother = ([name, says, attempt]: Break): FaultCase =>
  asked({
    fault: 16,
    name: `${name}, with another deployment`,
    chain: [
      { says, clocks: quick },
      { says: 'whole', at: 'prefixed' },
    ],
    forms: ['stream'],
    sees: 'whole',
    outcome: 'continues there: one stream, one id, no text repeated; the record has both attempts',
    attempts: [attempt, 'ok'],
    flags: ['continued'],
    also({ stage, models, row }) {
      const [asked] = stage.upstream.bodies(models[1] ?? '')
      assert(Number(asked?.['max_tokens']) < 64, 'the whole of max_tokens was requested again')
      assert.equal(row.attempts[1]?.isResumed, true)
    },
  })

/** What cannot be gone on with from the middle. */
const unfinishable: readonly (readonly [name: string, given: Partial<Asked>])[] = [
  ['by a schema', { kinds: ['chat'], body: { response_format: { type: 'json_object' } } }],
  ['of several choices', { kinds: ['chat'], body: { n: 2 } }],
  ['with logprobs', { body: { logprobs: 1 }, kinds: ['text'] }],
]

/** Faults 14 to 16: streams that do not begin, and streams that do not end. */
export const streamCases: readonly FaultCase[] = [
  ...(
    [
      ['headers, then silence', 'headers-then-silence'],
      ['a role, then silence', 'role-then-silence'],
      ['comments, then silence', 'comments-then-silence'],
    ] as const
  ).map(([name, says]) =>
    asked({
      ...{ fault: 14, name },
      chain: [{ says, clocks: { firstTokenMs: 200 } }, 'whole'],
      forms: ['stream'],
      sees: 'whole',
      outcome: 'the next deployment answers; one stream, one role',
      attempts: ['timeout', 'ok'],
    }),
  ),
  ...(
    [
      ['as an event', 'error-first', 'upstream_error'],
      ['as an event by that name', 'error-event-first', 'upstream_error'],
      ['as a page', 'page-first', 'invalid_response'],
    ] as const
  ).map(([name, says, attempt]) =>
    asked({
      ...{ fault: 15, name },
      chain: [says, 'whole'],
      forms: ['stream'],
      sees: 'whole',
      outcome: 'the next deployment answers',
      attempts: [attempt, 'ok'],
    }),
  ),
  ...breaks.map(alone),
  ...breaks.map(withAnother),
  asked({
    fault: 16,
    name: 'in a call to a tool, with another deployment',
    chain: ['tool-cut', 'whole'],
    kinds: ['chat'],
    forms: ['stream'],
    sees: { words: 0, code: 'upstream_stream_interrupted' },
    outcome: 'not gone on with: one error in the stream, no `[DONE]`',
    hits: [1, 0],
    attempts: ['interrupted'],
  }),
  ...unfinishable.map(([name, given]) =>
    asked({
      fault: 16,
      name: `in an answer ${name}, with another deployment`,
      chain: ['cut-close', 'whole'],
      forms: ['stream'],
      sees: { words: wordsBefore, code: 'upstream_stream_interrupted' },
      outcome: 'not gone on with: one error in the stream, no `[DONE]`',
      hits: [1, 0],
      attempts: ['interrupted'],
      ...given,
    }),
  ),
  asked({
    fault: 16,
    name: 'cut, and cut again where it continues',
    chain: ['cut-close', { says: 'cut-close', at: 'prefixed' }, { says: 'whole', family: 'llama-3' }],
    forms: ['stream'],
    sees: 'whole',
    outcome: 'continues a second time: no text repeated',
    attempts: ['interrupted', 'interrupted', 'ok'],
    also({ heard }) {
      assert(heard.body.length > answerText.length)
    },
  }),
]
