import type { Config } from '../../src/config.ts'
import { simulatorConfig } from './gateway.ts'
import type { RawServer } from './raw-server.ts'

type Settings = { readonly concurrency?: number; readonly queueMs?: number; readonly queueLimit?: number }

/** A gateway's configuration: every model at these servers, the next where one fails, with limits of its own. */
export function servedBy(
  servers: readonly RawServer[],
  limits: Partial<Config['limits']> = {},
  settings: Settings = {},
): Partial<Config> {
  const clocks = { connectMs: 5000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 60_000 }
  const common = { headers: {}, models: [], quirks: {}, retries: 0, retryDelayMs: 0, clocks }
  const bounds = { concurrency: 128, queueMs: 60_000, queueLimit: 100, ...settings }
  return {
    limits: { ...simulatorConfig.limits, ...limits },
    providers: servers.map(({ origin }, at) => ({
      name: `up${at}`,
      type: 'openai-compatible',
      settings: { ...common, ...bounds, baseUrl: `${origin}/v1` },
    })),
    routes: [
      {
        pattern: '*',
        strategy: 'fallback',
        deployments: servers.map((_, at) => ({ provider: `up${at}`, model: 'm' })),
      },
    ],
    demo: false,
  }
}

/** One event of a chat's stream. */
export function event(content: string, finish: string | null = null): string {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: finish }]
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

export const done = 'data: [DONE]\n\n'

/** Asks for a stream. */
export function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi.' }] })
  const headers = { 'content-type': 'application/json' }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body, ...init })
}

/** Reads an answer as it comes. */
export function reading(response: Response): {
  until(wanted: string, times?: number): Promise<string>
  rest(): Promise<string>
} {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      const { done: isOver, value } = await reader.read()
      if (isOver) break
      text += value
    }
    return text
  }
  return {
    until: (wanted, times = 1) => read(() => text.split(wanted).length > times),
    rest: () => read(() => false),
  }
}
