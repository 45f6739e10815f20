import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a host asks for a model, in USD per million tokens; undefined: it lists it at 0 and serves it to nobody. */
export type HostedPrice = {
  readonly input: number
  readonly output: number
  readonly cachedInput?: number
}

export type HostedModel = {
  readonly id: string
  readonly price: HostedPrice | undefined
  /** Of its answers' prompt tokens, those that it had seen before. */
  readonly cachedTokens?: number
  /** What else stands in the row. */
  readonly row?: Readonly<Record<string, unknown>>
}

/** A host that lists its models as Together or Baseten does, serves them, and keeps a bill. */
export interface ListingHost extends AsyncDisposable {
  readonly origin: string
  /** What it lists, serves and charges from now on. */
  models: readonly HostedModel[]
  /** A status with which it answers to anyone who asks for its list; undefined: with the list. */
  listStatus: number | undefined
  readonly listed: () => number
  /** The models of the calls that came, in their order. */
  readonly asked: string[]
  /** What the calls cost, in nano-USD, in their order. */
  readonly bill: number[]
}

export const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }

export async function openListingHost(
  shape: 'together' | 'baseten',
  models: readonly HostedModel[],
): Promise<ListingHost> {
  let lists = 0
  const host = {
    models,
    listStatus: undefined as number | undefined,
    asked: [] as string[],
    bill: [] as number[],
  }
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      lists++
      return host.listStatus === undefined
        ? send(response, 200, listOf(shape, host.models))
        : send(response, host.listStatus, { error: { message: 'no list' } })
    }
    let text = ''
    for await (const chunk of request) text += chunk
    const { model } = JSON.parse(text) as { model: string }
    host.asked.push(model)
    const { price, cachedTokens } = host.models.find(({ id }) => id === model) ?? {}
    if (price === undefined) {
      const message = `Unable to access model ${model}. Please visit the site to view the list of supported models.`
      const error = { message, type: 'invalid_request_error', param: null, code: 'model_not_available' }
      return send(response, 404, { error })
    }
    host.bill.push(
      Math.round((usage.prompt_tokens * price.input + usage.completion_tokens * price.output) * 1000),
    )
    const message = { role: 'assistant', content: 'Hello.' }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    return send(response, 200, {
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model,
      choices,
      usage: usageWith(cachedTokens),
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(host, {
    origin,
    listed: () => lists,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

function usageWith(cachedTokens: number | undefined) {
  return cachedTokens === undefined
    ? usage
    : { ...usage, prompt_tokens_details: { cached_tokens: cachedTokens } }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function listOf(shape: 'together' | 'baseten', models: readonly HostedModel[]): unknown {
  if (shape === 'together') {
    return models.map(({ id, price = { input: 0, output: 0 }, row }) => ({
      ...{ id, object: 'model', created: 0, type: 'chat', running: false, display_name: id, link: '' },
      ...{ context_length: 131_072, config: { chat_template: null, stop: [], bos_token: null } },
      pricing: {
        ...{ hourly: 0, input: price.input, output: price.output, base: 0, finetune: 0 },
        ...(price.cachedInput === undefined ? {} : { cached_input: price.cachedInput }),
      },
      ...row,
    }))
  }
  const data = models.map(({ id, price, row }) => ({
    ...{ id, object: 'model', created: 0, owned_by: 'baseten', name: id, context_length: 131_072 },
    max_completion_tokens: 65_536,
    pricing: { prompt: perToken(price?.input), completion: perToken(price?.output), request: '0' },
    ...{ supported_features: ['tools', 'json_mode', 'structured_outputs'], input_modalities: ['text'] },
    ...row,
  }))
  return { object: 'list', data }
}

function perToken(usdPerMillion = 0): string {
  return (usdPerMillion / 1e6).toFixed(12)
}
