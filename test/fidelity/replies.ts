import fc from 'fast-check'
import { anyJson, extraMembers, objectWith } from './anything.ts'

/** A request, what an upstream says to it, and what of that the caller must get. */
export type Said = {
  readonly name: string
  readonly path: string
  readonly request: object
  /** `sent` as an upstream may write it; `due` where the gateway mends it, and `sent` itself where it need not. */
  readonly reply: fc.Arbitrary<{ readonly sent: string; readonly due: string }>
}

/** What of a reply may be another than the upstream's: the gateway counts where the upstream does not. */
export const counted = ['usage']

const withProto = { proto: true }
const envelope = ['id', 'object', 'created', 'model', 'choices', 'usage', 'error', 'data', 'results']

const top = extraMembers(envelope, withProto)
const usage = fc
  .tuple(
    extraMembers(['prompt_tokens', 'completion_tokens', 'total_tokens'], withProto),
    extraMembers(['prompt_tokens', 'total_tokens'], withProto),
  )
  .map(([extra, details]) =>
    objectWith(
      {
        prompt_tokens: '3',
        completion_tokens: '4',
        total_tokens: '7',
        prompt_tokens_details: objectWith({}, details),
      },
      extra,
    ),
  )

const choiceNames = ['index', 'text', 'message', 'delta', 'logprobs', 'finish_reason', 'error']
/** Members of an unknown choice. */
export const choiceExtra: ReturnType<typeof extraMembers> = extraMembers(choiceNames, withProto)

const spoken = ['role', 'content', 'reasoning_content', 'reasoning', 'refusal', 'tool_calls', 'function_call']
/** The same of a message, or a piece of one. */
export const messageExtra: ReturnType<typeof extraMembers> = extraMembers(spoken, withProto)
/** Of a tool call, and of the function it calls. */
export const callExtra: ReturnType<typeof extraMembers> = extraMembers(
  ['index', 'id', 'type', 'function'],
  withProto,
)
export const functionExtra: ReturnType<typeof extraMembers> = extraMembers(['name', 'arguments'], withProto)
/** Of a reply, and of a chunk. */
export const topExtra: ReturnType<typeof extraMembers> = top
/** A usage of 3 and 4, and whatever else. */
export const usageText: fc.Arbitrary<string> = usage

const toolCalls = fc
  .tuple(callExtra, functionExtra)
  .map(
    ([extra, called]) =>
      `[${objectWith({ id: '"call_1"', type: '"function"', function: objectWith({ name: '"f"', arguments: '"{}"' }, called) }, extra)}]`,
  )

const chat = fc
  .record({
    top,
    choice: choiceExtra,
    message: messageExtra,
    calls: fc.option(toolCalls),
    logprobs: fc.option(anyJson().map((value) => objectWith({ content: value }))),
    usage: fc.option(usage),
    isNeat: fc.boolean(),
  })
  .map((parts) => {
    const written = (finish: string) => {
      const message = objectWith(
        {
          role: '"assistant"',
          content: '"Hi \\ud800"',
          ...(parts.calls === null ? {} : { tool_calls: parts.calls }),
        },
        parts.message,
      )
      const choice = objectWith(
        {
          index: '0',
          message,
          ...(parts.logprobs === null ? {} : { logprobs: parts.logprobs }),
          finish_reason: finish,
        },
        parts.choice,
      )
      return replyOf('"chat.completion"', choice, parts)
    }
    const due = written(parts.calls === null ? '"stop"' : '"tool_calls"')
    return { sent: parts.isNeat ? due : written('"eos"'), due }
  })

const text = fc
  .record({
    top,
    choice: choiceExtra,
    logprobs: fc.option(anyJson().map((value) => objectWith({ tokens: value }))),
    usage: fc.option(usage),
    isNeat: fc.boolean(),
  })
  .map((parts) => {
    const written = (finish: string) => {
      const known = {
        index: '0',
        text: '"\\u0000 模型"',
        logprobs: parts.logprobs ?? 'null',
        finish_reason: finish,
      }
      return replyOf('"text_completion"', objectWith(known, parts.choice), parts)
    }
    return { sent: parts.isNeat ? written('"stop"') : written('"eos"'), due: written('"stop"') }
  })

function replyOf(
  object: string,
  choice: string,
  parts: { readonly top: readonly (readonly [string, string])[]; readonly usage: string | null },
): string {
  const known = { id: '"id-1"', object, created: '1700000000', model: '"m"', choices: `[${choice}]` }
  return objectWith(parts.usage === null ? known : { ...known, usage: parts.usage }, parts.top)
}

const float = fc.constantFrom('0.25', '-1', '0.1000000000000000055511151231257827', '1e-7')
const rowExtra = extraMembers(['object', 'index', 'embedding'], withProto)
const embeddings = fc
  .record({
    top,
    rows: fc.tuple(rowExtra, rowExtra),
    value: float,
    usage: fc.option(usage),
    isNeat: fc.boolean(),
  })
  .map(({ top: extra, rows, value, usage: told, isNeat }) => {
    const row = (at: 0 | 1) =>
      objectWith({ object: '"embedding"', index: String(at), embedding: `[${value}, ${at}]` }, rows[at])
    const written = (data: string) => {
      const known = { object: '"list"', data: `[${data}]`, model: '"m"' }
      return objectWith(told === null ? known : { ...known, usage: told }, extra)
    }
    const due = written(`${row(0)}, ${row(1)}`)
    return { sent: isNeat ? due : written(`${row(1)}, ${row(0)}`), due }
  })

const resultExtra = extraMembers(['index', 'relevance_score'], withProto)
const rerank = fc
  .record({ top, results: fc.tuple(resultExtra, resultExtra), score: float, usage: fc.option(usage) })
  .map(({ top: extra, results, score, usage: told }) => {
    const data = results.map((each, at) => objectWith({ index: String(at), relevance_score: score }, each))
    const known = { model: '"m"', results: `[${data.join()}]` }
    const due = objectWith(told === null ? known : { ...known, usage: told }, extra)
    return { sent: due, due }
  })

const messages = [{ role: 'user', content: 'Hi' }]

/** Every path whose answers come as the upstream gave them. */
export const replies: readonly Said[] = [
  { name: 'a chat', path: '/chat/completions', request: { messages }, reply: chat },
  { name: 'a text', path: '/completions', request: { prompt: 'Hi' }, reply: text },
  { name: 'embeddings', path: '/embeddings', request: { input: ['a', 'b'] }, reply: embeddings },
  { name: 'an order', path: '/rerank', request: { query: 'a', documents: ['a', 'b'] }, reply: rerank },
]
