import { strict as assert } from 'node:assert'
import { type Asked, asked } from '../asked-case.ts'
import type { FaultCase } from '../fault-case.ts'

type Variant = readonly [name: string, says: string, outcome?: string]

/** An answer that cannot be used: another deployment gives one, and without one there is an error. */
function unusable(
  fault: number,
  kind: string,
  variants: readonly Variant[],
  forms: Asked['forms'],
): FaultCase[] {
  return variants.flatMap(([name, says, attempt = kind]) => {
    const code = codes[attempt] ?? null
    return [
      asked({
        ...{ fault, name },
        ...(forms === undefined ? {} : { forms }),
        chain: [says, 'whole'],
        sees: 'whole',
        outcome: 'the next deployment answers',
        attempts: [attempt, 'ok'],
      }),
      asked({
        ...{ fault, name: `${name}, and nowhere else to go` },
        ...(forms === undefined ? {} : { forms }),
        chain: [says],
        sees: { status: 502, code },
        outcome: `502 \`${code}\`, in JSON, after one more try`,
        hits: [2],
        attempts: [attempt, attempt],
      }),
    ]
  })
}

const codes: Readonly<Record<string, string>> = {
  interrupted: 'upstream_stream_interrupted',
  invalid_response: 'upstream_invalid_response',
  upstream_error: 'upstream_error',
  unreachable: 'upstream_unreachable',
}

const answered = (fault: number, name: string, says: string, more: Partial<Asked> = {}): FaultCase =>
  asked({
    ...{ fault, name },
    chain: [says],
    forms: ['stream'],
    sees: 'whole',
    outcome: 'the answer, every word once, and one end',
    attempts: ['ok'],
    ...more,
  })

/** Faults 7, 8 and 17 to 24: answers that are none, too much, or not as they should be. */
export const answerCases: readonly FaultCase[] = [
  ...unusable(
    7,
    'interrupted',
    [
      ['shorter than its length', 'half-length'],
      ['a chunk that does not end', 'half-chunked'],
    ],
    ['whole'],
  ),
  ...unusable(
    7,
    'invalid_response',
    [
      ['ended by the connection, cleanly', 'half-closing'],
      ['as long as it says', 'half-told-whole'],
    ],
    ['whole'],
  ),
  ...unusable(
    8,
    'invalid_response',
    [
      ['a page of HTML', 'page'],
      ['a page of HTML that says it is JSON', 'page-as-json'],
      ['nothing', 'empty'],
      ['`{}`', 'empty-object'],
      ['no choices', 'no-choices'],
      ['an error inside', 'error-inside', 'upstream_error'],
    ],
    undefined,
  ),
  answered(17, 'no `[DONE]`', 'no-done', {
    outcome: 'success: the finish_reason proves it; we add `[DONE]`',
  }),
  ...(
    [
      ['a reset after the finish_reason', 'end-then-reset'],
      ['half a terminator', 'end-then-half'],
      ['silence after the finish_reason', 'end-then-silence'],
    ] as const
  ).map(([name, says]) =>
    answered(17, name, says, {
      chain: [{ says, clocks: { idleMs: 300 } }],
      outcome: 'success: nothing of the answer is missing; its usage is estimated',
    }),
  ),
  answered(18, 'more words', 'done-then-more', { outcome: 'ignored' }),
  answered(18, 'a second `[DONE]`', 'done-twice', { outcome: 'ignored' }),
  ...(
    [
      ['twice', 'usage-twice'],
      ['in every chunk, growing', 'usage-every'],
      ['null until the end', 'usage-null'],
    ] as const
  ).map(([name, says]) =>
    answered(19, name, says, {
      outcome: 'the last word counts, once, and equals the bill',
      also({ row }) {
        assert.equal(row.usageEstimated, false)
        assert.equal(row.usage?.completion_tokens, 10)
      },
    }),
  ),
  ...(
    [
      ['negative', 'usage-negative'],
      ['beyond all bounds', 'usage-absurd'],
    ] as const
  ).map(([name, says]) =>
    answered(19, name, says, { outcome: 'clamped, and the record says so', flags: ['usage_clamped'] }),
  ),
  answered(20, 'a stream without usage', 'usage-none', {
    outcome: 'counted here, and marked as an estimate',
    also({ row }) {
      assert.equal(row.usageEstimated, true)
      assert.equal(row.costEstimated, true)
      assert((row.usage?.completion_tokens ?? 0) > 0)
    },
  }),
  ...(
    [
      ['CR alone', 'line-returns'],
      ['CRLF', 'line-both'],
      ['line ends of every kind', 'line-mixed'],
      ['a byte-order mark', 'mark'],
      ['comments and fields between', 'comments'],
      ['no space after the colon', 'no-space'],
      ['events of several lines', 'several-lines'],
      ['one byte at a time, in the middle of characters too', 'byte-by-byte'],
      ['100,000 empty events before the first', 'tiny-events'],
    ] as const
  ).map(([name, says]) => answered(21, name, says)),
  ...(
    [
      ['a line of 50 MB', 'giant-line'],
      ['an event of 50 MB in short lines', 'giant-event'],
    ] as const
  ).map(([name, says]) =>
    asked({
      ...{ fault: 21, name },
      chain: [says, 'whole'],
      forms: ['stream'],
      sees: 'whole',
      outcome: 'refused at 1 MiB, the connection dropped; the next deployment answers',
      attempts: ['invalid_response', 'ok'],
    }),
  ),
  ...unusable(
    22,
    'invalid_response',
    [
      ['gzip, unasked', 'gzip'],
      ['a gzip bomb', 'gzip-bomb'],
      ['gzip in six layers', 'gzip-six'],
      ['what is no gzip', 'gzip-bad'],
      ['gzip that does not say so', 'gzip-unsaid'],
    ],
    undefined,
  ),
  ...unusable(
    23,
    'invalid_response',
    [
      ['headers of 40 KB', 'long-headers'],
      ['both framings', 'two-framings'],
      ['two lengths', 'two-lengths'],
      ['another protocol', 'no-http'],
      ['100 unasked', 'continue'],
      ['101 unasked', 'switch'],
      ['status 999', 'status-999', 'upstream_error'],
    ],
    undefined,
  ),
  ...unusable(23, 'invalid_response', [['a 204 with a body', 'no-content']], ['whole']),
  ...unusable(23, 'interrupted', [['a 204 with a body, for a stream', 'no-content']], ['stream']),
  asked({
    fault: 23,
    name: '500 early hints',
    chain: ['hints'],
    sees: 'whole',
    outcome: 'ignored; the answer comes',
    attempts: ['ok'],
  }),
  {
    fault: 23,
    name: 'an answer too many',
    outcome: 'the connection is dropped; the next caller gets its own answer',
    routes: { 'f23.extra': [{ says: 'extra-answer,whole' }] },
    async play(stage) {
      for (const _turn of [1, 2, 3]) {
        const heard = await stage.ask({ model: 'f23.extra' })
        assert.equal(heard.status, 200, heard.body)
        assert(!heard.body.includes('poison'), 'an answer was given to the wrong caller')
      }
      await stage.rest()
    },
  },
  ...[301, 302, 307, 308].map((status) =>
    asked({
      fault: 24,
      name: `status ${status} to another host`,
      chain: [{ says: `redirect-${status}`, at: 'redirecting', retries: 0 }],
      sees: { status: 502, code: 'upstream_error' },
      outcome: '502; never followed, no key leaves its host',
      attempts: ['upstream_error'],
      also({ stage }) {
        assert.equal(stage.places.strayed, 0)
      },
    }),
  ),
]
