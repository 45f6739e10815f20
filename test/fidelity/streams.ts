import fc from 'fast-check'
import { anyJson, type Member, objectWith } from './anything.ts'
import { callExtra, choiceExtra, functionExtra, messageExtra, topExtra } from './replies.ts'

/** What an upstream says in a stream, chunk by chunk, and what of it the caller must get. */
export type Chunks = {
  /** As the upstream writes them. */
  readonly sent: readonly string[]
  /** As they must come: `sent` itself, where nothing has to be mended. */
  readonly due: readonly string[]
}

/** The chunks of a chat: its role, words, thoughts and pieces of a tool call, and the end. */
export function chatChunks(): fc.Arbitrary<Chunks> {
  const piece = fc.record({
    what: fc.constantFrom('words', 'thought', 'refusal', 'call', 'nothing'),
    top: topExtra,
    choice: choiceExtra,
    delta: messageExtra,
    call: callExtra,
    called: functionExtra,
    logprobs: fc.option(anyJson().map((value) => objectWith({ content: value }))),
  })
  return fc.tuple(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.boolean()).map(([pieces, isNeat]) => {
    const hasCall = pieces.some(({ what }) => what === 'call')
    let isCallBegun = false
    const written = pieces.map(({ what, top, choice, delta, call, called, logprobs }, at) => {
      const begins = what === 'call' && !isCallBegun
      isCallBegun ||= begins
      const isLast = at === pieces.length - 1
      const of = (isMended: boolean) => {
        const opening = begins || !isMended ? { id: '"call_1"', type: '"function"' } : {}
        const name = begins || !isMended ? { name: '"f"' } : {}
        const fragment = objectWith(
          { index: '0', ...opening, function: objectWith({ ...name, arguments: '"{ "' }, called) },
          call,
        )
        const said = {
          words: { content: '"Hi \\ud800"' },
          thought: { reasoning_content: '"\\u0000"' },
          refusal: { refusal: '"no"' },
          call: { tool_calls: `[${fragment}]` },
          nothing: {},
        }[what]
        const role = at === 0 || !isMended ? { role: '"assistant"' } : {}
        const neat = hasCall ? '"tool_calls"' : '"stop"'
        const finish = isLast ? (isMended ? neat : '"eos"') : 'null'
        const known = {
          index: '0',
          delta: objectWith({ ...role, ...said }, delta),
          ...(logprobs === null ? {} : { logprobs }),
          finish_reason: finish,
        }
        return chunkOf('"chat.completion.chunk"', objectWith(known, choice), top)
      }
      return { sent: of(isNeat), due: of(true) }
    })
    return { sent: written.map(({ sent }) => sent), due: written.map(({ due }) => due) }
  })
}

/** The chunks of a text. */
export function textChunks(): fc.Arbitrary<Chunks> {
  const piece = fc.record({
    top: topExtra,
    choice: choiceExtra,
    logprobs: fc.option(anyJson().map((value) => objectWith({ tokens: value }))),
  })
  return fc.tuple(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.boolean()).map(([pieces, isNeat]) => {
    const written = (isMended: boolean) =>
      pieces.map(({ top, choice, logprobs }, at) => {
        const finish = at < pieces.length - 1 ? 'null' : isMended ? '"stop"' : '"eos"'
        const known = { index: '0', text: '"模\\udfff"', logprobs: logprobs ?? 'null', finish_reason: finish }
        return chunkOf('"text_completion"', objectWith(known, choice), top)
      })
    return { sent: written(isNeat), due: written(true) }
  })
}

function chunkOf(object: string, choice: string, top: readonly Member[]): string {
  const known = { id: '"id-1"', object, created: '1700000000', model: '"m"', choices: `[${choice}]` }
  return objectWith(known, top)
}
