import Anthropic from '@anthropic-ai/sdk'
import { ChatOpenAI, OpenAI as TextOpenAI } from '@langchain/openai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'

/** Events that say nothing come before the answer, and between its words. */
const limits = { ...simulatorConfig.limits, keepaliveMs: 0, heartbeatMs: 10 }
const model = 'sim-slow-200-drip-40-echo'
const content = 'one two three'
const messages = [{ role: 'user' as const, content }]

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ limits })
})
afterAll(() => gateway[Symbol.asyncDispose]())

describe('an answer among events that say nothing is the same answer', () => {
  test('to the helpers of openai', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    const asked = { model, messages, stream_options: { include_usage: true } }
    const chat = client.chat.completions.stream(asked)
    const chunks: OpenAI.ChatCompletionChunk[] = []
    chat.on('chunk', (chunk) => chunks.push(chunk))
    const reply = await chat.finalChatCompletion()
    expect(reply.choices[0]?.message).toMatchObject({ role: 'assistant', content })
    expect(reply.usage?.completion_tokens).toBe(3)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    // Before the answer, which begins with its role.
    expect(chunks[0]?.choices[0]?.delta).toEqual({})

    const texts = await client.completions.create({ model, prompt: content, stream: true })
    let text = ''
    for await (const { choices } of texts) text += choices[0]?.text ?? ''
    expect(text).toBe(content)

    const events: { readonly type: string; readonly sequence_number: number }[] = []
    const response = client.responses.stream({ model, input: content })
    response.on('event', (event) => events.push(event))
    expect((await response.finalResponse()).output_text).toBe(content)
    expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()])
    expect(events.filter(({ type }) => type === 'response.in_progress').length).toBeGreaterThan(1)
  })

  test('to the helper of Anthropic', async () => {
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 })
    expect(await client.messages.stream({ model, max_tokens: 50, messages }).finalText()).toBe(content)
  })

  test('to LangChain', async () => {
    const common = { model, apiKey: 'none', maxRetries: 0, configuration: { baseURL: `${gateway.url}/v1` } }
    let said = ''
    for await (const chunk of await new ChatOpenAI(common).stream(content)) said += chunk.text
    expect(said).toBe(content)
    let text = ''
    for await (const chunk of await new TextOpenAI(common).stream(content)) text += chunk
    expect(text).toBe(content)
  })
})
