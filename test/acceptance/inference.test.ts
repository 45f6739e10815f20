import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { payloadsOf } from './openai/stream-shape.ts'
import { type Stack, startAlone, startStack } from './stack.ts'

const environment = { SLOW_THRESHOLD_MS: '60000' }
const stacks = [
  { name: 'before Pandotate', start: () => startStack({ environment }) },
  { name: 'with its own simulator', start: () => startAlone({ environment }) },
]

describe.for(stacks)('/inference of a gateway $name', ({ start }) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await start()
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  const counted = { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 }
  const messages = [{ role: 'user', content: 'one two three' }]

  test('answers a prompt', async () => {
    const { body } = await ask(stack, '/inference', { prompt: 'one two three' })
    expect(body).toEqual({ model: 'sim-echo', output: 'one two three', usage: counted, slow: false })
  })

  test('answers messages', async () => {
    const { body } = await ask(stack, '/inference', { messages, prompt: undefined })
    expect(body).toMatchObject({ output: 'one two three', usage: { completion_tokens: 3 } })
  })

  test('keeps to max_tokens, to stop strings, and takes fields it does not know', async () => {
    const bounded = await ask(stack, '/inference', { model: 'sim-length', max_tokens: 4, top_k: 3, seed: 7 })
    expect(bounded.body).toMatchObject({ usage: { completion_tokens: 4 } })
    const stopped = await ask(stack, '/inference', { prompt: 'one two three', stop: ['three'] })
    expect(stopped.body).toMatchObject({ output: 'one two ' })
  })

  test('warns of keys it leaves out', async () => {
    const { body } = await ask(stack, '/inference', { model: 'sim-extra' })
    expect(body).toMatchObject({ warning: "Ignored extra keys: ['region', 'queue_ms']" })
  })

  test.for([
    ['a prompt', { prompt: 'one two three' }],
    ['messages', { messages }],
  ] as const)('streams the same in pieces, asked with %s', async ([, asked]) => {
    const pieces = await stream(stack, { model: 'sim-echo', ...asked })
    expect(pieces.pop()).toBe('[DONE]')
    const { usage, slow } = pieces.at(-1) as { usage: { completion_tokens: number }; slow: boolean }
    expect({ count: usage.completion_tokens, slow }).toEqual({ count: 3, slow: false })
    expect(outputOf(pieces)).toBe('one two three')
  })

  test('warns in a stream too, at its end', async () => {
    const pieces = await stream(stack, { model: 'sim-extra-echo', prompt: 'x' })
    expect(pieces.at(-2)).toMatchObject({ warning: "Ignored extra keys: ['region', 'queue_ms']" })
  })

  test.for([
    ['neither prompt nor messages', { prompt: null }, 'prompt or messages field is required'],
    ['both', { prompt: 'x', messages }, 'give either prompt or messages, not both'],
    ['several prompts', { prompt: ['x', 'y'] }, /prompt/],
    ['several choices', { n: 2 }, 'n must be 1'],
  ] as const)('refuses %s', async ([, asked, error]) => {
    const { status, body } = await ask(stack, '/inference', asked)
    expect(status).toBe(400)
    expect((body as { error: string }).error).toMatch(error)
  })
})

test('a stream of /inference that breaks ends with an error, never as if it were whole', async () => {
  await using stack = await startAlone({ environment })
  const pieces = await stream(stack, { model: 'sim-cut-3', prompt: 'x' })
  expect(outputOf(pieces.slice(0, -1)).split(' ')).toHaveLength(3)
  expect(pieces.at(-1)).toEqual({
    error: 'Upstream provider failed',
    provider: 'simulator',
    details: 'The upstream ended the answer before it was complete: it gave no finish_reason.',
  })
})

/** The pieces of a stream, each as what it says. */
async function stream({ gateway, witness }: Stack, asked: object): Promise<unknown[]> {
  const response = await witness.fetch(`${gateway.url}/inference`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, stream: true }),
  })
  const payloads = payloadsOf(await response.text())
  return payloads.map((payload): unknown => (payload === '[DONE]' ? payload : JSON.parse(payload)))
}

function outputOf(pieces: readonly unknown[]): string {
  return pieces.map((piece) => (piece as { output: string }).output).join('')
}
