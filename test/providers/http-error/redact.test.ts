import { expect, test } from 'vitest'
import { redact } from '../../../src/providers/http-error/redact.ts'

const key64 = 'a1b2c3d4'.repeat(8)
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

const removals: readonly (readonly [text: string, redacted: string])[] = [
  ['see https://api.together.ai/settings/api-keys.', 'see [removed]'],
  ['POST http://10.1.2.3:8000/v1/completions failed', 'POST [removed] failed'],
  ['wss://a.b/c and redis://user:pw@h:6379/0 too', '[removed] and [removed] too'],
  ['ask api.together.ai, please', 'ask [removed], please'],
  ['vllm-0.vllm.default.svc:8000/v1 is down', '[removed] is down'],
  ['host model-abc.api.baseten.co is asleep', 'host [removed] is asleep'],
  ['connect to localhost:11434 refused', 'connect to [removed] refused'],
  ['127.0.0.1:8080 refused', '[removed] refused'],
  ['[::1]:8080 refused', '[removed] refused'],
  ['in /usr/lib/python3/site.py here', 'in [removed] here'],
  ['Incorrect API key provided: sk-ab***yz.', 'Incorrect API key provided: [removed]'],
  ['key pk_live_123456 is bad', 'key [removed] is bad'],
  ['header Bearer abc.def-123 is bad', 'header [removed] is bad'],
  ['header Api-Key abcdef123 is bad', 'header [removed] is bad'],
  [`token ${token} is bad`, 'token [removed] is bad'],
  [`token ${key64} is bad`, 'token [removed] is bad'],
  ['my own correct-horse is bad', 'my own [removed] is bad'],
  ['broken\n    at Object.<anonymous> (/app/x.js:1:1)', 'broken'],
  ['broken Traceback (most recent call last):\n  File "x"', 'broken'],
  [
    "[{'type': 'missing', 'msg': 'Field required', 'input': {'prompt': 'mine'}}]",
    "[{'type': 'missing', 'msg': 'Field required'",
  ],
  ['1 validation error [type=int, input_value=my prompt, input_type=str]', '1 validation error [type=int'],
  ['two\r\nlines \u001b[31mred\u001b[0m\u0000', 'two lines [31mred [0m'],
  ['  spaced  out  ', 'spaced out'],
  ['', ''],
]

test.for(removals)('%j', ([text, redacted]) => {
  expect(redact(text, ['correct-horse'])).toBe(redacted)
})

const kept: readonly string[] = [
  "This model's maximum context length is 4096 tokens.",
  "Invalid 'stop': array too long. Expected an array with maximum length 4.",
  'Unable to access model meta-llama/Llama-3.1-8B-Instruct-Turbo.',
  'The model `Qwen/Qwen2.5-7B` does not exist.',
  'messages[0].content: must be a string, got 1.5 or e.g. nothing',
  'response_format.json_schema.name is too long',
  'request_id 7f3c2a1e-1111-2222-3333-444455556666',
  'version 1.2.3 of the api is old',
]

test.for(kept)('%s stays as it is', (text) => {
  expect(redact(text)).toBe(text)
})

test('a secret too short to be one does not take words apart', () => {
  expect(redact('a number of tokens', ['a', '', 'token'])).toBe('a number of tokens')
})

test('a long text is cut, and says so', () => {
  const cut = redact('word '.repeat(1000))
  expect(cut).toHaveLength(300)
  expect(cut).toMatch(/^word word .*…$/)
})

test('a hostile text of any length costs little', () => {
  for (const unit of ['a.', 'a-', '/', '[::', '1.', 'a://', 'Bearer ', ' ', 'eyJ', '\n at', 'sk-']) {
    expect(redact(unit.repeat(500_000)).length).toBeLessThanOrEqual(300)
  }
})

test.for([
  [
    'https://x.test.com/cat.png',
    'Cannot fetch https://x.test.com/cat.png.',
    'Cannot fetch https://x.test.com/cat.png.',
  ],
  [
    'https://x.test.com/cat.png',
    'Ask 10.0.0.7:8000 of https://x.test.com/cat.png',
    'Ask [removed] of https://x.test.com/cat.png',
  ],
  ['', 'Cannot fetch https://x.test.com/cat.png.', 'Cannot fetch [removed]'],
] as const)('an address is told to the caller who sent it: %j in %j', ([request, text, told]) => {
  expect(redact(text, [], { request })).toBe(told)
})

test('a key is told to nobody, though it stands in an address that the caller sent', () => {
  const address = 'https://x.test.com/?key=sk-own-key-1'
  expect(redact(`No ${address}`, ['sk-own-key-1'], { request: address })).not.toContain('sk-own-key-1')
})
