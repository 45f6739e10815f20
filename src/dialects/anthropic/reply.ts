import type Anthropic from '@anthropic-ai/sdk'
import type { Call, FinishReason, Message, Reply, ToolCall } from '../../core/model/call.ts'
import { toolInput, unreadableInput } from './input.ts'
import { messageUsage, stopReasonOf } from './stop-reason.ts'

/** The JSON text of a whole message. Throws Failure `invalid_response` for a tool call with unreadable arguments. */
export function renderMessage({ chunk: { value: chunk }, usage }: Reply, call: Call): string {
  const [choice = { index: 0, finish_reason: 'stop' as const }] = chunk.choices
  const answer = choice.message ?? {}
  const message = {
    ...emptyMessage(call, chunk.model),
    content: blocksOf(answer, choice.finish_reason),
    ...stopReasonOf(choice, call, isFilled(answer['refusal'])),
    usage: messageUsage(usage),
  } satisfies Anthropic.Message
  return JSON.stringify(message)
}

/** A message without content and counts, as at the beginning of a stream. */
export function emptyMessage({ id }: Call, model: string): Anthropic.Message {
  return {
    id: `msg_${id.slice(4)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: messageUsage({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }),
    container: null,
    diagnostics: null,
  }
}

function blocksOf(said: Message, reason: FinishReason | null): Anthropic.ContentBlock[] {
  const { reasoning_content: thinking, content, refusal, tool_calls: calls = [] } = said
  const blocks: Anthropic.ContentBlock[] = []
  // Clients require `signature`, which open models do not have.
  if (isFilled(thinking)) blocks.push({ type: 'thinking', thinking, signature: '' })
  if (isFilled(content)) blocks.push({ type: 'text', text: content, citations: null })
  if (isFilled(refusal)) blocks.push({ type: 'text', text: refusal, citations: null })
  for (const call of calls) blocks.push(toolUse(call, reason))
  return blocks
}

function toolUse(
  { id = '', function: called }: ToolCall,
  reason: FinishReason | null,
): Anthropic.ToolUseBlock {
  const input = toolInput(called?.arguments ?? '') ?? (reason === 'length' ? {} : undefined)
  // Incomplete arguments are acceptable only if the token limit cut the answer, which `stop_reason` reports.
  if (input === undefined) throw unreadableInput()
  return { type: 'tool_use', id, name: called?.name ?? '', input, caller: { type: 'direct' } }
}

function isFilled(text: unknown): text is string {
  return typeof text === 'string' && text !== ''
}
