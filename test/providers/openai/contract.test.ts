import { readFileSync } from 'node:fs'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { pandotate } from '../../../src/providers/pandotate/pandotate.ts'
import { simulator } from '../../../src/providers/simulator.ts'
import { describeProvider, overSockets, type Situation } from '../../contracts/provider.ts'
import { answer, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

const fixture = (path: string) => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8')

const say = (body: string, contentType: string) => answer(body, { headers: { 'content-type': contentType } })

describeProvider(
  overSockets(
    'openai-compatible',
    (origin) => {
      const settings = openaiCompatible.settings.parse({ baseUrl: `${origin}/v1`, apiKey: 'sk-own-key' })
      return openaiCompatible.create('up', settings, tools)
    },
    {
      say,
      refuse: (status, headers) => answer('{"error":{"message":"No.","code":null}}', { status, headers }),
      answer({ path, body }) {
        const format = path.endsWith('/chat/completions') ? 'chat' : 'text'
        if (!JSON.parse(body).stream) {
          return answer(
            fixture(`openai-compatible/${format === 'chat' ? 'together' : 'vllm-text'}-reply.json`),
          )
        }
        const stream = fixture(`openai-compatible/${format === 'chat' ? 'baseten' : 'vllm-text'}.sse`)
        return streamed(stream.split(/(?<=\n\n)/))
      },
    },
  ),
)

describeProvider(
  overSockets(
    'pandotate',
    (origin) => {
      const settings = pandotate.settings.parse({ url: `${origin}/api/inference`, apiKey: 'pk_own_key' })
      return pandotate.create('up', settings, tools)
    },
    {
      say,
      refuse: (status, headers) => answer('{"error":"No."}', { status, headers }),
      answer: () => answer(fixture('pandotate/plain.json')),
    },
  ),
)

const names: Readonly<Record<Situation, string>> = {
  answers: 'sim-echo',
  'is silent': 'sim-stall-0',
  'stalls in its answer': 'sim-stall-1-echo',
  'rejects the key': 'sim-status-401',
  'knows no such model': 'sim-status-404',
  'limits the rate': 'sim-ratelimit-7',
  fails: 'sim-status-500',
  'is overloaded': 'sim-status-503',
  'is not there': '',
  'resets the connection': 'sim-reset',
  'breaks off in its answer': 'sim-cut-1-echo',
  'answers half a JSON': 'sim-badjson',
  'answers a page': 'sim-html',
  'answers an empty object': 'sim-empty',
}

describeProvider({
  name: 'simulator',
  deviations: { 'is not there': 'it is part of the gateway' },
  stage: async (situation) => ({
    upstream: simulator.create('sim', {}, tools),
    model: names[situation],
    server: undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }),
})
