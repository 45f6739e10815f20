import type { CallLine } from './gateway-process.ts'
import type { Stack } from './stack.ts'

/** An answer in JSON. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
  /** What the log tells of the call. */
  line(): Promise<CallLine>
}

/** Asks for a completion of one word; everything that is given replaces a part of that. */
export async function ask(
  { gateway, witness }: Stack,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await witness.fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'sim-echo', prompt: 'x', ...body }),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: await response.json(),
    line: () => gateway.record(response.headers.get('x-request-id')),
  }
}
