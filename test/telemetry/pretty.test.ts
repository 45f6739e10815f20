import { expect, test } from 'vitest'
import { startRecord } from '../../src/core/model/record/record.ts'
import { lineOf } from '../../src/telemetry/line.ts'
import { prettyLine } from '../../src/telemetry/pretty.ts'
import { anAttempt } from './attempt-record.ts'

const head = '{"level":30,"time":"2026-11-29T15:04:05.678Z",'

test('a call is one line: time, status, model, place, attempts, ms, tokens, cost', () => {
  const record = {
    ...startRecord('req_1', 'chat'),
    ...{ model: 'mistral-7b', deployment: 'm@one', status: 200, totalMs: 812.4, costNanoUsd: 12_000 },
    ...{ attempts: [anAttempt()], usage: { prompt_tokens: 12, completion_tokens: 50, total_tokens: 62 } },
  }
  expect(prettyLine(`${head}${lineOf(record)},"msg":"call"}\n`, false)).toBe(
    '15:04:05 200  mistral-7b  m@one  1 attempt  812 ms  12+50 tokens  $0.000012000  req_1\n',
  )
})

test('a failed call has its reason, and what an operator should check', () => {
  const members =
    '"requestId":"req_1","dialect":"chat","model":"m","status":502,"attempts":[{},{}],"totalMs":5,"failure":{"kind":"upstream_auth","code":null,"operatorNote":"Set ONE_KEY."}'
  const line = prettyLine(`${head}${members},"msg":"call"}\n`, true)
  expect(line).toContain('\u001b[31m502\u001b[39m')
  expect(line).toContain('2 attempts')
  expect(line).toContain('upstream_auth, Set ONE_KEY.')
})

test.for<[string, string]>([
  [`${head}"url":"http://x","msg":"serving"}\n`, '15:04:05 INFO  serving url=http://x\n'],
  ['{"level":40,"time":"2026-11-29T15:04:05.678Z","a":{"b":1},"msg":"m"}\n', '15:04:05 WARN  m a={"b":1}\n'],
  ['{"level":50,"time":"2026-11-29T15:04:05.678Z","t":"a\\nb","msg":"m"}\n', '15:04:05 ERROR m t="a\\nb"\n'],
  ['no JSON\n', 'no JSON\n'],
])('%s', ([line, pretty]) => {
  expect(prettyLine(line, false)).toBe(pretty)
})
