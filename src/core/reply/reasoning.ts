import type { Choice, Delta, Message } from '../model/call.ts'

/** True when one delta holds both thought and speech. */
export function mixesReasoning({ delta }: Choice): boolean {
  return delta !== undefined && Boolean(delta.content) && Boolean(delta.reasoning_content)
}

/** Thought first, then speech: two deltas out of one that held both. */
export function splitReasoning({ chunk }: Delta): Delta[] {
  const thought: Choice[] = []
  const speech: Choice[] = []
  for (const choice of chunk.choices) {
    const { reasoning_content: reasoning, role, ...rest } = choice.delta ?? {}
    const opening: Message = role === undefined ? {} : { role }
    if (reasoning) {
      const delta = { ...opening, reasoning_content: reasoning }
      const { logprobs: _logprobs, text: _text, ...told } = choice
      thought.push({ ...told, delta, finish_reason: null })
      speech.push({ ...choice, delta: rest })
    } else {
      speech.push(choice)
    }
  }
  return [
    { chunk: { ...chunk, choices: thought }, source: undefined },
    { chunk: { ...chunk, choices: speech }, source: undefined },
  ]
}
