import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runShell } from './child.ts'
import { checkInference } from './openai/shape.ts'
import { createClient, type Stack, startAlone } from './stack.ts'

/**
 * Looked up by name, Pandotate is not there: what a test says of its absence must be true in every network, and
 * no test may call the real one.
 */
const nobodyIsThere = `data:text/javascript,${encodeURIComponent(
  `import dns from 'node:dns'
  const { lookup } = dns
  dns.lookup = (name, options, answer) =>
    name === 'api.pandotate.com'
      ? answer(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }))
      : lookup(name, options, answer)`,
)}`

let stack: Stack
beforeAll(async () => {
  stack = await startAlone({ environment: { NODE_OPTIONS: `--import=${nobodyIsThere}` } })
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('a gateway without any configuration', () => {
  test('says at the console that it is a simulator, and how to be more', () => {
    expect(stack.gateway.stderr()).toMatch(/SIMULATOR/)
    expect(stack.gateway.stderr()).toContain('PANDOTATE_API_KEY')
    expect(stack.gateway.stderr()).toContain('pk_')
  })

  test('prints a curl that works as printed', async () => {
    const printed = /Try it:\n([\s\S]+?)\n\n/.exec(stack.gateway.stderr())?.[1] ?? ''
    expect(printed).toMatch(/^\s+curl http/)
    const { code, stdout } = await runShell(printed)
    expect(code).toBe(0)
    checkInference(JSON.parse(stdout))
    expect(JSON.parse(stdout).output).toMatch(/simulat/i)
  })

  test('says so with every answer, and in the answer itself', async () => {
    const client = createClient(stack)
    const completion = client.completions.create({ model: 'mistral-7b', prompt: 'Are you there?' })
    const { data, response } = await completion.withResponse()
    expect(response.headers.get('x-pandotate-provider')).toBe('simulator')
    expect(data.choices[0]?.text).toContain('simulator')
    const chat = client.chat.completions.create({
      model: 'llama-3-8b',
      messages: [{ role: 'user', content: 'And here?' }],
      stream: true,
    })
    const { response: streamed, data: stream } = await chat.withResponse()
    expect(streamed.headers.get('x-pandotate-provider')).toBe('simulator')
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toContain('And here?')
  })

  test('lists the simulated models, each of which does as it is called', async () => {
    const client = createClient(stack)
    const ids = (await client.models.list()).data.map(({ id }) => id)
    expect(ids).toContain('sim-echo')
    expect(ids.length).toBeGreaterThan(10)
    for (const id of ids) expect((await client.models.retrieve(id)).id).toBe(id)
  })

  test('says the same to the same, always', async () => {
    const client = createClient(stack)
    const ask = () => client.completions.create({ model: 'any', prompt: 'Twice the same', max_tokens: 12 })
    const [one, other] = [await ask(), await ask()]
    expect(one.choices).toEqual(other.choices)
    expect(one.usage).toEqual(other.usage)
    expect(one.id).not.toBe(other.id)
  })

  test('thinks aloud and calls tools, as far as it is asked to', async () => {
    const chat = await createClient(stack).chat.completions.create({
      model: 'sim-reasoning-echo',
      messages: [{ role: 'user', content: 'Say it' }],
    })
    expect(chat.choices[0]?.message).toMatchObject({
      content: 'Say it',
      reasoning_content: expect.stringContaining('simulated'),
    })
  })

  test('carries an agent through: the tool is called, its result is answered', async () => {
    const asked: string[] = []
    const runner = createClient(stack).chat.completions.runTools({
      model: 'sim-tools',
      stream: true,
      messages: [{ role: 'user', content: 'What is the weather in Rome?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'Says the weather.',
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
            parse: JSON.parse,
            function: ({ city }: { city: string }) => {
              asked.push(city)
              return 'rain'
            },
          },
        },
      ],
    })
    expect(await runner.finalContent()).toContain('What is the weather in Rome?')
    expect(asked).toEqual(['x'])
  })
})

describe('a caller who brings a key for Pandotate', () => {
  test.for(['/v1', '/inference'])('is never given a simulated answer, at %s', async (prefix) => {
    const client = createClient(stack, { baseURL: stack.gateway.url + prefix, apiKey: 'pk_of_a_caller' })
    const thrown = await client.completions
      .create({ model: 'sim-echo', prompt: 'x' })
      .catch((error: unknown) => error)
    expect(thrown).toMatchObject({ status: 502, code: 'upstream_unreachable' })
    const { headers } = stack.witness.seen.at(-1) ?? {}
    expect(headers?.get('x-pandotate-provider')).toBe('pandotate')
    const { attempts } = await stack.gateway.record(headers?.get('x-request-id'))
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unreachable', 'unreachable'])
  })

  test('is told so at /inference without a word of where it was sought', async () => {
    const response = await stack.witness.fetch(`${stack.gateway.url}/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer pk_of_a_caller' },
      body: '{"model":"m","prompt":"x"}',
    })
    expect(response.status).toBe(502)
    expect(await response.json()).toEqual({
      error: 'Upstream provider failed',
      provider: 'pandotate',
      details: 'The upstream could not be reached: its host name is unknown.',
    })
  })

  test('is one among others, who are answered as before', async () => {
    const completion = await createClient(stack, { apiKey: 'sk-something' }).completions.create({
      model: 'sim-echo',
      prompt: 'as before',
    })
    expect(completion.choices[0]?.text).toBe('as before')
  })
})
