import type Anthropic from '@anthropic-ai/sdk'
import type { AnthropicError } from './error.ts'

type Event = Anthropic.RawMessageStreamEvent | AnthropicError | { readonly type: 'ping' }

/** One server-sent event. Anthropic's clients use its name, which is also the `type` of its data. */
export function eventFrame(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
