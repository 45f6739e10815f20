import { describe, expect, test } from 'vitest'
import { completions } from '../../../src/dialects/openai/completions.ts'
import { incoming, refusalOf } from '../requests.ts'
import { empty, high, low, wrong } from '../wording.ts'

const promptForms = 'one of a string, array of strings, array of integers, or array of arrays of integers'
const valid = { model: 'mistral-7b', prompt: 'Hello' }

/** What is sent besides a model and a prompt · message · param · code. */
const alwaysRefused: [object | string, string, string | null, string | null][] = [
  [{ model: undefined }, 'you must provide a model parameter', 'model', null],
  [{ model: null }, 'you must provide a model parameter', 'model', null],
  [{ model: '' }, 'you must provide a model parameter', 'model', null],
  [{ model: 7 }, wrong('model', 'a string', 'an integer'), 'model', 'invalid_type'],
  [{ model: ['a'] }, wrong('model', 'a string', 'an array'), 'model', 'invalid_type'],

  [{ prompt: undefined }, "Missing required parameter: 'prompt'.", 'prompt', 'missing_required_parameter'],
  [{ prompt: null }, "Missing required parameter: 'prompt'.", 'prompt', 'missing_required_parameter'],
  [{ prompt: 5 }, wrong('prompt', promptForms, 'an integer'), 'prompt', 'invalid_type'],
  [{ prompt: { text: 'x' } }, wrong('prompt', promptForms, 'an object'), 'prompt', 'invalid_type'],
  [{ prompt: true }, wrong('prompt', promptForms, 'a boolean'), 'prompt', 'invalid_type'],
  [{ prompt: [] }, empty('prompt'), 'prompt', 'empty_array'],
  [{ prompt: [[]] }, empty('prompt[0]'), 'prompt[0]', 'empty_array'],
  [{ prompt: [[1], []] }, empty('prompt[1]'), 'prompt[1]', 'empty_array'],
  [{ prompt: ['a', 1] }, wrong('prompt[1]', 'a string', 'an integer'), 'prompt[1]', 'invalid_type'],
  [{ prompt: [1, 'a'] }, wrong('prompt[1]', 'an integer', 'a string'), 'prompt[1]', 'invalid_type'],
  [{ prompt: [1, [2]] }, wrong('prompt[1]', 'an integer', 'an array'), 'prompt[1]', 'invalid_type'],
  [
    { prompt: [[1], 2] },
    wrong('prompt[1]', 'an array of integers', 'an integer'),
    'prompt[1]',
    'invalid_type',
  ],
  [
    { prompt: [[1, 2.5]] },
    wrong('prompt[0][1]', 'an integer', 'a decimal number'),
    'prompt[0][1]',
    'invalid_type',
  ],
  [{ prompt: [null] }, wrong('prompt[0]', 'a string', 'null'), 'prompt[0]', 'invalid_type'],
  [{ prompt: [{}] }, wrong('prompt[0]', 'a string', 'an object'), 'prompt[0]', 'invalid_type'],
  [{ prompt: [5, -1] }, low('prompt[1]', 'integer', 0, -1), 'prompt[1]', 'integer_below_min_value'],

  [{ suffix: 1 }, wrong('suffix', 'a string', 'an integer'), 'suffix', 'invalid_type'],
  [{ echo: 'yes' }, wrong('echo', 'a boolean', 'a string'), 'echo', 'invalid_type'],
  [{ user: {} }, wrong('user', 'a string', 'an object'), 'user', 'invalid_type'],
  [{ stream: 'true' }, wrong('stream', 'a boolean', 'a string'), 'stream', 'invalid_type'],
  [{ stream: 1 }, wrong('stream', 'a boolean', 'an integer'), 'stream', 'invalid_type'],
  [
    { stream_options: true },
    wrong('stream_options', 'an object', 'a boolean'),
    'stream_options',
    'invalid_type',
  ],
  [
    { stream_options: { include_usage: 'yes' } },
    wrong('stream_options.include_usage', 'a boolean', 'a string'),
    'stream_options.include_usage',
    'invalid_type',
  ],

  [{ max_tokens: -1 }, low('max_tokens', 'integer', 0, -1), 'max_tokens', 'integer_below_min_value'],
  [{ max_tokens: 1.5 }, wrong('max_tokens', 'an integer', 'a decimal number'), 'max_tokens', 'invalid_type'],
  [{ max_tokens: '16' }, wrong('max_tokens', 'an integer', 'a string'), 'max_tokens', 'invalid_type'],
  [
    '{"model":"m","prompt":"p","max_tokens":12345678901234567890}',
    high('max_tokens', 'integer', 9007199254740991, '12345678901234567890'),
    'max_tokens',
    'integer_above_max_value',
  ],
  [{ n: 0 }, low('n', 'integer', 1, 0), 'n', 'integer_below_min_value'],
  [{ n: 129 }, high('n', 'integer', 128, 129), 'n', 'integer_above_max_value'],
  [{ n: true }, wrong('n', 'an integer', 'a boolean'), 'n', 'invalid_type'],
  [
    '{"model":"m","prompt":"p","n":99999999999999999999}',
    high('n', 'integer', 128, '99999999999999999999'),
    'n',
    'integer_above_max_value',
  ],
  [{ best_of: -1 }, low('best_of', 'integer', 0, -1), 'best_of', 'integer_below_min_value'],
  [{ best_of: 21 }, high('best_of', 'integer', 20, 21), 'best_of', 'integer_above_max_value'],
  [
    { best_of: 2, stream: true },
    "The 'best_of' parameter must be 1 when 'stream' is enabled.",
    'best_of',
    'invalid_value',
  ],
  [{ logprobs: -1 }, low('logprobs', 'integer', 0, -1), 'logprobs', 'integer_below_min_value'],
  [{ logprobs: 6 }, high('logprobs', 'integer', 5, 6), 'logprobs', 'integer_above_max_value'],
  [{ logprobs: true }, wrong('logprobs', 'an integer', 'a boolean'), 'logprobs', 'invalid_type'],

  [{ temperature: -0.1 }, low('temperature', 'decimal', 0, -0.1), 'temperature', 'decimal_below_min_value'],
  [{ temperature: 2.1 }, high('temperature', 'decimal', 2, 2.1), 'temperature', 'decimal_above_max_value'],
  [{ temperature: 3 }, high('temperature', 'decimal', 2, 3), 'temperature', 'decimal_above_max_value'],
  [{ temperature: '0.7' }, wrong('temperature', 'a decimal', 'a string'), 'temperature', 'invalid_type'],
  [
    '{"model":"m","prompt":"p","temperature":1e999}',
    high('temperature', 'decimal', 2, '1e999'),
    'temperature',
    'decimal_above_max_value',
  ],
  [{ top_p: 1.1 }, high('top_p', 'decimal', 1, 1.1), 'top_p', 'decimal_above_max_value'],
  [{ top_p: -1 }, low('top_p', 'decimal', 0, -1), 'top_p', 'decimal_below_min_value'],
  [
    { frequency_penalty: 2.5 },
    high('frequency_penalty', 'decimal', 2, 2.5),
    'frequency_penalty',
    'decimal_above_max_value',
  ],
  [
    { presence_penalty: -3 },
    low('presence_penalty', 'decimal', -2, -3),
    'presence_penalty',
    'decimal_below_min_value',
  ],
  [{ seed: 1.5 }, wrong('seed', 'an integer', 'a decimal number'), 'seed', 'invalid_type'],
  [{ seed: 'x' }, wrong('seed', 'an integer', 'a string'), 'seed', 'invalid_type'],
  [{ logit_bias: [] }, wrong('logit_bias', 'an object', 'an array'), 'logit_bias', 'invalid_type'],
  [
    '{"model":"m","prompt":"p","logit_bias":12345678901234567890}',
    wrong('logit_bias', 'an object', 'a number out of range'),
    'logit_bias',
    'invalid_type',
  ],
  [{ stop: 1 }, wrong('stop', 'one of a string or array of strings', 'an integer'), 'stop', 'invalid_type'],
  [{ stop: ['a', 1] }, wrong('stop[1]', 'a string', 'an integer'), 'stop[1]', 'invalid_type'],
]

const strictlyRefused: [object, string, string, string | null][] = [
  [{ top_k: 5 }, 'Unrecognized request argument supplied: top_k', 'top_k', 'unknown_parameter'],
  [
    { constructor: 5 },
    'Unrecognized request argument supplied: constructor',
    'constructor',
    'unknown_parameter',
  ],
  [
    { ['x'.repeat(1000)]: 1 },
    `Unrecognized request argument supplied: ${'x'.repeat(61)}...`,
    `${'x'.repeat(61)}...`,
    'unknown_parameter',
  ],
  [
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
    'stop',
    'array_above_max_length',
  ],
  [{ stop: [] }, empty('stop'), 'stop', 'empty_array'],
  [
    { stream_options: { include_usage: true } },
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    'stream_options',
    null,
  ],
  [
    { stream_options: {}, stream: false },
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    'stream_options',
    null,
  ],
  [
    { logit_bias: { '1': 500 } },
    "Invalid 'logit_bias.1': decimal above maximum value. Expected a value <= 100, but got 500 instead.",
    'logit_bias.1',
    'decimal_above_max_value',
  ],
  [
    { logit_bias: { foo: 0 } },
    "Invalid key in 'logit_bias': foo. You should only be submitting non-negative integers.",
    'logit_bias',
    'invalid_value',
  ],
  [
    { echo: true, suffix: 'x' },
    "Invalid parameter: 'echo' is not supported with 'suffix'.",
    'echo',
    'invalid_parameter_combination',
  ],
  [{ best_of: 2, n: 3 }, low('best_of', 'integer', 3, 2), 'best_of', 'integer_below_min_value'],
]

const alwaysAccepted: object[] = [
  {},
  { prompt: '' },
  { prompt: ['a', ''] },
  { prompt: [1, 2, 3] },
  { prompt: [0] },
  { prompt: [[1], [2, 3]] },
  { max_tokens: 0, echo: true },
  { temperature: 0, top_p: 0 },
  { temperature: 2, top_p: 1, frequency_penalty: -2, presence_penalty: 2 },
  { n: 128 },
  { n: 2, best_of: 2 },
  { best_of: 0, n: 3 },
  { best_of: 0, stream: true },
  { best_of: 1, stream: true },
  { logprobs: 0 },
  { logprobs: 5 },
  { logit_bias: { '50256': -100 } },
  { seed: -9007199254740991 },
  { stop: 'x' },
  { stop: ['a', 'b', 'c', 'd'] },
  { stream: true, stream_options: { include_usage: true, include_obfuscation: false } },
  {
    max_tokens: null,
    n: null,
    best_of: null,
    stop: null,
    seed: null,
    logprobs: null,
    stream: null,
    stream_options: null,
    temperature: null,
    user: null,
    unheard_of: null,
  },
]

describe.for([
  ['lenient', false],
  ['strict', true],
] as const)('A %s gateway', ([, strict]) => {
  test.for(alwaysRefused)('refuses the completion %j: %s', ([sent, message, param, code]) => {
    const body = typeof sent === 'string' ? sent : { ...valid, ...sent }
    expect(refusalOf(completions, body, strict)).toEqual({ status: 400, message, param, code })
  })

  test.for(alwaysAccepted)('accepts the completion %j', (sent) => {
    expect(refusalOf(completions, { ...valid, ...sent }, strict)).toBeUndefined()
  })

  test('keeps every digit of a seed past what a double can hold', () => {
    const request = incoming('{"model":"m","prompt":"p","seed":9223372036854775807}', strict)
    expect(JSON.stringify(completions.parse(request).body)).toBe(request.body.text)
  })
})

describe.for(strictlyRefused)('The completion %j', ([sent, message, param, code]) => {
  test('is accepted by a lenient gateway', () => {
    expect(refusalOf(completions, { ...valid, ...sent })).toBeUndefined()
  })

  test(`is refused by a strict one: ${message}`, () => {
    expect(refusalOf(completions, { ...valid, ...sent }, true)).toEqual({ status: 400, message, param, code })
  })
})

test('A completion request becomes a call with the body and the text it came with', () => {
  const request = { ...incoming({ ...valid, stream: true }), credential: 'pk_caller', deadlineMs: 1500 }
  const call = completions.parse(request)
  expect(call).toEqual({
    id: request.id,
    dialect: 'completions',
    kind: 'text',
    model: 'mistral-7b',
    stream: true,
    includeUsage: false,
    body: request.body,
    credential: 'pk_caller',
    deadlineMs: 1500,
  })
  expect(call.body).toBe(request.body)
})

test.for([
  [{}, false, false],
  [{ stream: false }, false, false],
  [{ stream: null }, false, false],
  [{ stream: true }, true, false],
  [{ stream: true, stream_options: null }, true, false],
  [{ stream: true, stream_options: {} }, true, false],
  [{ stream: true, stream_options: { include_usage: null } }, true, false],
  [{ stream: true, stream_options: { include_usage: true } }, true, true],
  [{ stream: false, stream_options: { include_usage: true } }, false, false],
] as const)('%j streams: %s, with usage at its end: %s', ([sent, stream, includeUsage]) => {
  expect(completions.parse(incoming({ ...valid, ...sent }))).toMatchObject({ stream, includeUsage })
})

test('Completions are served at every prefix an SDK may be given as its base', () => {
  const paths = completions.prefixes.map((prefix) => prefix + completions.path)
  expect(paths).toEqual(['/v1/completions', '/inference/completions', '/inference/v1/completions'])
})
