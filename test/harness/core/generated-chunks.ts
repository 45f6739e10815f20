import fc from 'fast-check'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { chatChunk, chatReply, textChunk, usage } from '../scripted-upstream.ts'
import { withChoice } from './normalize.ts'

/** The chunks of one choice of a neat chat: words and thoughts, then fragments of tool calls, then the end. */
export function chatLane(index: number): fc.Arbitrary<JsonObject[]> {
  const content = fc.string().map((text) => ({ content: text }))
  const reasoning = fc.string().map((text) => ({ reasoning_content: text }))
  const tool = fc.tuple(fc.nat(2), fc.string()).map(([at, text]) => ({ at, text }))
  return fc
    .tuple(fc.array(fc.oneof(content, reasoning), { maxLength: 5 }), fc.array(tool, { maxLength: 5 }))
    .map(([words, tools]) => {
      const begun = new Set<number>()
      const fragments = tools.map(({ at, text }) => {
        if (begun.has(at)) return { index: at, function: { arguments: text } }
        begun.add(at)
        return {
          index: at,
          id: `call-${at}`,
          type: 'function',
          function: { name: `f${at}`, arguments: text },
        }
      })
      return [
        chatChunk({ role: 'assistant', content: null }, null, index),
        ...words.map((delta) => chatChunk(delta, null, index)),
        ...fragments.map((fragment) => chatChunk({ tool_calls: [fragment] }, null, index)),
        chatChunk({}, tools.length > 0 ? 'tool_calls' : 'stop', index),
      ]
    })
}

/** The chunks of one choice of a neat text. */
export function textLane(index: number): fc.Arbitrary<JsonObject[]> {
  const logprobs = fc.option(fc.string().map((token) => ({ tokens: [token], text_offset: [0] })))
  return fc
    .array(fc.tuple(fc.string(), logprobs), { minLength: 1, maxLength: 5 })
    .map((pieces) =>
      pieces.map(([text, probs], at) =>
        withChoice(textChunk(text, at === pieces.length - 1 ? 'stop' : null, index), { logprobs: probs }),
      ),
    )
}

/** A neat chat reply of one choice or more. */
export function wholeReply(): fc.Arbitrary<JsonObject> {
  const words = fc.string({ minLength: 1 })
  const tool = fc.record({
    id: words,
    type: fc.constant('function'),
    function: fc.record({ name: words, arguments: fc.string({ minLength: 1 }) }),
  })
  const message = fc.record(
    {
      role: fc.constant('assistant'),
      content: fc.oneof(words, fc.constant(null)),
      reasoning_content: words,
      refusal: words,
      annotations: fc.array(fc.record({ type: words }), { minLength: 1 }),
      tool_calls: fc.uniqueArray(tool, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
    },
    { requiredKeys: ['role', 'content'] },
  )
  const choice = fc.record(
    {
      message,
      logprobs: fc.constant({ content: [{ token: 'a', logprob: -1 }], refusal: null }),
      stop_reason: fc.nat(),
    },
    { requiredKeys: ['message'] },
  )
  return fc
    .tuple(
      fc.array(choice, { minLength: 1, maxLength: 3 }),
      fc.record({ usage: fc.constant(usage(3, 4)), system_fingerprint: words }),
    )
    .map(([choices, envelope]) => ({
      ...chatReply({}),
      ...envelope,
      choices: choices.map((each, index) => ({
        index,
        ...each,
        finish_reason: each.message.tool_calls === undefined ? 'stop' : 'tool_calls',
      })),
    }))
}

/** The items of several lanes as one, each lane's in its own order. */
export function interleave<T>(lanes: readonly (readonly T[])[], picks: Iterator<number>): T[] {
  const waiting = lanes.map((lane) => [...lane])
  const mixed: T[] = []
  for (let open = waiting; open.length > 0; open = open.filter((lane) => lane.length > 0)) {
    const lane = open[Number(picks.next().value) % open.length]
    mixed.push(...(lane?.splice(0, 1) ?? []))
  }
  return mixed
}

/** Chunks as bursts, with a cut in front of each place that says so. */
export function cutWhere(chunks: readonly JsonObject[], cuts: readonly boolean[]): JsonObject[][] {
  const bursts: JsonObject[][] = [[]]
  for (const [at, chunk] of chunks.entries()) {
    if (cuts[at]) bursts.push([])
    bursts.at(-1)?.push(chunk)
  }
  return bursts
}
