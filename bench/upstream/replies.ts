import { prose } from './prose.ts'

/** What every JSON answer of the mock upstream says, and what it claims to have counted. */
export const answerText: string = prose(320)
export const openaiUsage = { prompt_tokens: 110, completion_tokens: 64, total_tokens: 174 }

/** The whole HTTP reply of each route, about 650 bytes of JSON apart from Pandotate's shorter form. */
export const jsonReplies: ReadonlyMap<string, Buffer> = new Map([
  [
    '/api/inference',
    jsonReply({
      model: 'pandotate-7b',
      output: prose(560),
      tokens: openaiUsage.prompt_tokens,
      completion_tokens: openaiUsage.completion_tokens,
    }),
  ],
  [
    '/v1/chat/completions',
    jsonReply({
      id: 'chatcmpl-9f8b7c6d5e4f3a2b1c0d',
      object: 'chat.completion',
      created: 1_763_800_000,
      model: 'bench-8b',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: answerText, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: openaiUsage,
      system_fingerprint: 'fp_bench',
    }),
  ],
  [
    '/v1/completions',
    jsonReply({
      id: 'cmpl-9f8b7c6d5e4f3a2b1c0d',
      object: 'text_completion',
      created: 1_763_800_000,
      model: 'bench-8b',
      choices: [{ index: 0, text: answerText, logprobs: null, finish_reason: 'stop' }],
      usage: openaiUsage,
      system_fingerprint: 'fp_bench',
    }),
  ],
])

/** A refusal, for what the mock upstream cannot read or does not serve. */
export function refusal(status: number, message: string): Buffer {
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } })
  return Buffer.from(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function jsonReply(answer: object): Buffer {
  const body = JSON.stringify(answer)
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    'x-request-id: req_bench',
    `content-length: ${body.length}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
