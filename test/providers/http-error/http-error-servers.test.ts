import { expect, test } from 'vitest'
import type { FailureKind } from '../../../src/core/model/failure.ts'
import { failureOf } from '../../../src/providers/http-error/http-error.ts'

const said = (message: string, code: string | null = null, type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
})

test.for<[string, number, unknown, FailureKind, RegExp]>([
  ['TGI fails to generate', 424, { error: 'CUDA', error_type: 'generation' }, 'upstream_error', /status 424/],
  [
    'TGI is asked too much',
    422,
    { error: '`inputs` must have less than 9 tokens' },
    'context_length',
    /less/,
  ],
  ['Truss does not load', 412, { error: 'x' }, 'upstream_error', /status 412/],
  ['its own client left', 499, '', 'upstream_error', /status 499/],
  ['Groq has no room', 498, '', 'overloaded', /more requests/],
  ['Groq limits what is sent', 413, said('Too large', 'rate_limit_exceeded'), 'rate_limited', /rate limit/],
  ['Groq has retired it', 400, said('Old model', 'model_decommissioned'), 'model_not_found', /Old model/],
  [
    'Mistral has no such model',
    400,
    said('Invalid model', null, 'invalid_model'),
    'model_not_found',
    /model/,
  ],
  ['DeepSeek has no such model', 400, said('Model Not Exist'), 'model_not_found', /Model Not Exist/],
  ['OpenRouter has no such model', 400, said('x is not a valid model ID'), 'model_not_found', /x is not/],
  ['LM Studio has none loaded', 400, said('No models loaded. Load one.'), 'model_not_found', /No models/],
  [
    'Baseten has none of that name',
    400,
    { error: 'x', error_code: 'model_does_not_exist' },
    'model_not_found',
    /llama/,
  ],
  ['Baseten is not ready', 400, { error: 'x', error_code: 'model_not_ready' }, 'overloaded', /more requests/],
  ['a filter refuses', 400, said('Filtered.', 'content_filter'), 'content_filtered', /Filtered/],
  ['llama.cpp lacks it', 501, said('Not supported'), 'unsupported', /Not supported/],
])('that %s is understood', ([, status, body, kind, message]) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const asked = {
    provider: 'up',
    model: 'llama',
    key: 'ours',
    keySetting: 'K',
    secrets: [],
    epochMs: 0,
  } as const
  const failure = failureOf({ status, text, header: () => undefined }, asked)
  expect(failure).toMatchObject({ kind, message: expect.stringMatching(message) })
})
