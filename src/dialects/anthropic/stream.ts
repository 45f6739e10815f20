import type { Call, Choice, Delta } from '../../core/model/call.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { createBlockWriter } from './blocks.ts'
import { anthropicError } from './error.ts'
import { eventFrame } from './event.ts'
import { emptyMessage } from './reply.ts'
import { messageUsage, type StopReason, stopReasonOf } from './stop-reason.ts'

/** Writes a stream in Anthropic's format: the start of the message, its blocks, then the stop reason and the usage. */
export function createAnthropicStream(call: Call): StreamEncoder {
  const blocks = createBlockWriter()
  let isBegun = false
  let isRefusal = false
  let ending: StopReason | undefined

  const begin = (model: string) => {
    if (isBegun) return ''
    isBegun = true
    // The prompt's tokens are reported at the end, when they are known exactly.
    return (
      eventFrame({ type: 'message_start', message: emptyMessage(call, model) }) + eventFrame({ type: 'ping' })
    )
  }

  const framesOf = (choice: Choice) => {
    const { reasoning_content: thinking, content, refusal, tool_calls: calls } = choice.delta ?? {}
    let frames = ''
    if (thinking) frames += blocks.addText('thinking', thinking)
    if (content) frames += blocks.addText('text', content)
    if (typeof refusal === 'string' && refusal !== '') {
      isRefusal = true
      frames += blocks.addText('text', refusal)
    }
    if (calls !== undefined) for (const fragment of calls) frames += blocks.addToolCall(fragment)
    if (choice.finish_reason !== null) ending = stopReasonOf(choice, call, isRefusal)
    return frames
  }

  return {
    encode(deltas: readonly Delta[]) {
      let frames = ''
      for (const { value: chunk } of deltas) {
        frames += begin(chunk.model)
        for (const choice of chunk.choices) if (choice.index === 0) frames += framesOf(choice)
      }
      return frames
    },
    idle: () => eventFrame({ type: 'ping' }),
    end(usage) {
      if (ending === undefined) throw new TypeError('A stream ended without a finish reason.')
      const frames = blocks.end(ending.stop_reason === 'max_tokens')
      const delta = { ...ending, container: null }
      return (
        frames +
        eventFrame({ type: 'message_delta', delta, usage: messageUsage(usage) }) +
        eventFrame({ type: 'message_stop' })
      )
    },
    fail: (failure) => eventFrame(anthropicError(failure, call.id)),
  }
}
