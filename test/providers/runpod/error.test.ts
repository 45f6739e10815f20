import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { FailureKind } from '../../../src/core/model/failure.ts'
import { noKey } from '../../../src/providers/http-error/http-error.ts'
import { jobFailure, workerFailure, workerFailureIn } from '../../../src/providers/runpod/error.ts'
import { readJobReport } from '../../../src/providers/runpod/job-status.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/runpod/${name}`, import.meta.url), 'utf8')

const asked = { ...noKey, provider: 'up', model: 'some-model', epochMs: 0 }

const printed = (status: number, error: string) =>
  `{'message': 'vLLM returned HTTP ${status}: ${error}', 'type': 'worker_error', 'code': None}`

describe('the error of a worker', () => {
  test.for<readonly [string, unknown, FailureKind, object]>([
    ['text', 'Something broke', 'upstream_error', { message: 'The job failed at the upstream.' }],
    ['nothing', undefined, 'upstream_error', {}],
    ['an exception', fixture('error-exception.json'), 'upstream_error', {}],
    ['a handler', fixture('error-handler.txt'), 'upstream_error', {}],
    ['a clock', 'executionTimeout exceeded', 'timeout', {}],
    ['a worker that vanished', 'job timed out after 1 retries', 'timeout', {}],
    [
      'vLLM, as Python prints it',
      fixture('error-python.txt'),
      'context_length',
      {
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        upstreamStatus: 400,
      },
    ],
    [
      'vLLM on its model',
      printed(404, '{"error":{"message":"No such thing.","code":404}}'),
      'model_not_found',
      {
        upstreamStatus: 404,
      },
    ],
    [
      'vLLM on a field',
      printed(400, '{"error":{"message":"top_p is\\\\u0020wrong","param":"top_p"}}'),
      'rejected',
      {
        message: 'top_p is wrong',
        param: 'top_p',
      },
    ],
    [
      'vLLM on itself',
      printed(500, '{"error":{"message":"EngineDead"}}'),
      'upstream_error',
      {
        upstreamStatus: 500,
      },
    ],
    ['vLLM on its load', printed(503, 'busy'), 'overloaded', { upstreamStatus: 503 }],
    [
      'vLLM, cut off',
      `{'message': 'vLLM returned HTTP 400: {"error":{"mess`,
      'rejected',
      { upstreamStatus: 400 },
    ],
    [
      'vLLM, as an object',
      { message: 'vLLM returned HTTP 429: {}', type: 'worker_error' },
      'rate_limited',
      {},
    ],
    [
      'vLLM in an exception',
      JSON.stringify({ error_message: 'vLLM returned HTTP 404: {}' }),
      'model_not_found',
      {},
    ],
    [
      'OpenAI',
      { message: 'n is too large', code: 400, param: 'n' },
      'rejected',
      { message: 'n is too large' },
    ],
    [
      'an exception about the length',
      JSON.stringify({
        error_message: "This model's maximum context length is 4096 tokens.",
        error_type: 'ValueError',
      }),
      'context_length',
      {},
    ],
  ])('of the form of %s is understood', ([, error, kind, detail]) => {
    expect(workerFailure(error, asked)).toMatchObject({ kind, provider: 'up', ...detail })
  })

  test.for([
    fixture('error-exception.json'),
    fixture('error-handler.txt'),
    JSON.stringify({
      error_message: 'vLLM returned HTTP 400: {"error":"no room on w0rkersecret"}',
      worker_id: 'w0rkersecret',
    }),
  ])('tells callers nothing of machines and traces: %j', (error) => {
    const told = JSON.stringify(workerFailure(error, asked).message)
    expect(told).not.toMatch(/secret|Traceback|handler|line 9/)
  })

  test.for([
    [{ message: fixture('error-python.txt') }, 'context_length'],
    [{ message: fixture('error-handler.txt') }, 'upstream_error'],
    [{ message: fixture('error-exception.json') }, 'upstream_error'],
    [{ message: 'job timed out after 1 retries' }, 'timeout'],
    [{ message: 'The engine stopped.' }, undefined],
    [{ message: 7 }, undefined],
    [undefined, undefined],
  ] as const)('is distinguished from other errors: %j', ([error, kind]) => {
    expect(workerFailureIn(error, asked)?.kind).toBe(kind)
  })
})

describe('a job that is over without an answer', () => {
  test.for([
    ['{"id":"a","status":"TIMED_OUT"}', 'timeout'],
    ['{"id":"a","status":"CANCELLED"}', 'upstream_error'],
    ['{"id":"a","status":"FAILED"}', 'upstream_error'],
    ['{"id":"56a7f791-e1","status":"FAILED","error":"job timed out after 1 retries","retries":1}', 'timeout'],
    ['{"id":"a","status":"FAILED","executionTime":3612120,"error":"executionTimeout exceeded"}', 'timeout'],
    ['{"error":"Something broke"}', 'upstream_error'],
  ] as const)('%s is %s', ([text, kind]) => {
    expect(jobFailure(readJobReport(text, 'up'), asked)).toMatchObject({ kind, provider: 'up' })
  })

  test('never tells the name of its worker', () => {
    const error = JSON.stringify({
      error_message: 'vLLM returned HTTP 400: {"error":"pkej0t9bbyjrgy is full"}',
    })
    const text = JSON.stringify({ id: 'a', status: 'FAILED', workerId: 'pkej0t9bbyjrgy', error })
    expect(jobFailure(readJobReport(text, 'up'), asked).message).toBe('[removed] is full')
  })
})
