import { fileURLToPath } from 'node:url'
import { describe, test } from 'vitest'
import { isPythonPrepared, python } from '../../clients/machine.ts'
import { startChild } from '../child.ts'
import { type Stack, startAlone, startStack } from '../stack.ts'

const script = fileURLToPath(new URL('python_clients.py', import.meta.url))

const environment = { PANDOTATE_RETRIES: '0' }
const stacks: readonly (readonly [name: string, start: () => Promise<Stack>, cutRaises: string])[] = [
  ['before Pandotate', () => startStack({ environment }), 'InternalServerError'],
  ['with its own simulator', startAlone, 'APIError'],
]

describe.skipIf(!isPythonPrepared)(
  'the Python clients (skipped until test/clients/prepare.sh was run)',
  () => {
    test.concurrent.for(stacks)(
      'are well served by a gateway %s',
      async ([, start, cutRaises], { expect }) => {
        await using stack = await start()
        await using guarded = await startAlone({ file: `auth: { keys: ['sk-gateway-0123456789'] }` })
        const words = [script, `${stack.gateway.url}/v1`, `${guarded.gateway.url}/v1`]
        const { code, stdout, stderr } = await startChild(python, words, { environment: {} }).ended
        expect({ code, stderr }).toMatchObject({ code: 0 })
        const { cut, request_id: requestId, ...seen } = JSON.parse(stdout)
        expect(requestId).toMatch(/^req_[0-9a-f]{32}$/)
        expect(cut[0]).toBe(cutRaises)
        expect(cut[2]).toBe('upstream_stream_interrupted')
        expect(seen).toEqual({
          n: ['hello there', 'hello there'],
          usage: [2, 4, 6],
          strict: ['a', 'a', 'b', 'b'],
          slashes: 'meta-llama/Llama-3 8B',
          streamed: 'hello there',
          chat: 'hello there',
          chat_usage: 2,
          accumulated: expect.objectContaining({ role: 'assistant', content: 'hello there' }),
          not_found: ['NotFoundError', 404, 'model_not_found', 'model'],
          bad_request: ['BadRequestError', 400, 'decimal_above_max_value', 'temperature'],
          rate_limit: ['RateLimitError', 429, 'rate_limit_exceeded', null],
          server: ['InternalServerError', 502, 'upstream_error', null],
          unauthorized: ['AuthenticationError', 401, 'invalid_api_key', null],
          langchain_batch: ['first', 'second', 'third'],
          langchain_n: [
            ['first', 'first'],
            ['second', 'second'],
          ],
          langchain_stream: 'word by word',
          langchain_chat: 'hello there',
          langchain_chat_stream: 'hello there',
        })
      },
    )
  },
)
