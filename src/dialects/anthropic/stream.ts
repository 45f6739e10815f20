import type { Call, Choice, Delta } from '../../core/model/call.ts'
import type { StreamEncoder } from '../shared/dialect.ts'
import { createBlockWriter } from './blocks.ts'
import { anthropicError } from './error.ts'
import { eventFrame } from './event.ts'
import { emptyMessage } from './reply.ts'
import { messageUsage, type StopReason, stopReasonOf } from './stop-reason.ts'

/** Writes a stream in Anthropic's format: the message's start, its blocks, then its stop reason and usage. */
export function createAnthropicStream(call: Call): StreamEncoder {
  const blocks = createBlockWriter()
  let isBegun = false
  let isRefusal = false
  let ending: StopReason | undefined

  const begin = (model: string) => {
    if (isBegun) return ''
    isBegun = true
    // The prompt's tokens are reported at the end: here they would be a guess.
    return (
      eventFrame({ type: 'message_start', message: emptyMessage(call, model) }) + eventFrame({ type: 'ping' })
    )
  }

  const tell = (choice: Choice) => {
    const { reasoning_content: thinking, content, refusal, tool_calls: calls } = choice.delta ?? {}
    let frames = ''
    if (thinking) frames += blocks.say('thinking', thinking)
    if (content) frames += blocks.say('text', content)
    if (typeof refusal === 'string' && refusal !== '') {
      isRefusal = true
      frames += blocks.say('text', refusal)
    }
    if (calls !== undefined) for (const fragment of calls) frames += blocks.call(fragment)
    if (choice.finish_reason !== null) ending = stopReasonOf(choice, call, isRefusal)
    return frames
  }

  return {
    encode(deltas: readonly Delta[]) {
      let frames = ''
      for (const { value: chunk } of deltas) {
        frames += begin(chunk.model)
        for (const choice of chunk.choices) if (choice.index === 0) frames += tell(choice)
      }
      return frames
    },
    idle: () => eventFrame({ type: 'ping' }),
    end(usage) {
      if (ending === undefined) throw new TypeError('A stream that ended has told why.')
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
