import { readFileSync } from 'node:fs'
import { together } from '../../../src/providers/together/together.ts'
import { describeProvider, overSockets } from '../../contracts/provider.ts'
import { type AnswerHead, answer, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/together/${name}`, import.meta.url), 'utf8')

/** On every answer, whether there was too much or not. */
const always = { 'x-inference-version': 'v2', 'x-ratelimit': 'false', 'retry-after': '2' }

const headed = ({ status = 200, headers = {} }: AnswerHead = {}) => ({
  status,
  headers: { ...always, ...headers },
})

const errors: Readonly<Record<number, string>> = {
  401: '{"id":"omJK-3pD-a0","error":{"message":"Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
  404: '{"id":"omJK-3pD-a0","error":{"message":"Unable to access model bad model. Please visit https://api.together.ai/models to view the list of supported models.","type":"invalid_request_error","param":null,"code":"model_not_available"}}',
  429: '{"id":"omJK-3pD-a0","error":{"message":"Request was rejected due to request rate limiting.","type":"rate_limit","param":null,"code":null}}',
  500: '{"error":{"message":"Internal server error","type":"server_error","param":null,"code":null}}',
  503: '{"error":{"message":"Service unavailable","type":"service_unavailable","param":null,"code":null}}',
}

for (const dialect of ['a', 'b']) {
  describeProvider(
    overSockets(
      `together, dialect ${dialect.toUpperCase()}`,
      (origin) => {
        const settings = together.settings.parse({ baseUrl: `${origin}/v1`, apiKey: 'tgp_v1_own_key' })
        return together.create('together', settings, tools)
      },
      {
        say: (body, contentType) => answer(body, headed({ headers: { 'content-type': contentType } })),
        refuse: (status, headers) => answer(errors[status] ?? '', headed({ status, headers })),
        answer({ path, body }) {
          const form = path === '/v1/chat/completions' ? dialect : 'text'
          if (!JSON.parse(body).stream) return answer(fixture(`reply-${form}.json`), headed())
          return streamed(fixture(`stream-${form}.sse`).split(/(?<=\n\n)/), headed())
        },
      },
    ),
  )
}
