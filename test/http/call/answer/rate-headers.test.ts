import { expect, test } from 'vitest'
import type { CallRecord } from '../../../../src/core/model/record/record.ts'
import { rateHeaders } from '../../../../src/http/call/answer/rate-headers.ts'

test.for([
  [0, '0ms'],
  [0.2, '1ms'],
  [999, '999ms'],
  [999.4, '1s'],
  [1000, '1s'],
  [59_001, '1m0s'],
  [360_000, '6m0s'],
])('%d ms until a limit is whole again are %s, as OpenAI writes it', ([resetMs, written]) => {
  const rates = { requests: { limit: 5, remaining: 4, resetMs }, tokens: undefined }
  const record = { dialect: 'chat', rates, startedEpochMs: 0 } as unknown as CallRecord
  expect(rateHeaders(record).at(-1)).toBe(written)
})
