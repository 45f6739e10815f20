import fc from 'fast-check'
import { chatFields } from '../../src/dialects/openai/chat-fields.ts'
import { textFields } from '../../src/dialects/openai/text-fields.ts'
import { anyJson, extraMembers, objectWith } from './anything.ts'

/** A path that passes requests on in the shape they have, and how to ask there. */
export type Path = {
  readonly path: string
  /** False where nothing streams. */
  readonly streams: boolean
  /** The members of a request but for its model and what is said of streaming. */
  readonly members: fc.Arbitrary<Asked>
}

export type Asked = { readonly known: Readonly<Record<string, string>>; readonly extra: Extra }

type Extra = readonly (readonly [key: string, value: string])[]

/** What a request says of itself that is no extra. */
const routed = ['model', 'models', 'provider', 'stream', 'stream_options']

const seed = fc.constantFrom('1', '9007199254740993', '-9223372036854775808')

const part = extraMembers(['type', 'text']).map((extra) =>
  objectWith({ type: '"text"', text: '"Hi"' }, extra),
)
const content = fc.oneof(
  fc.constant('"Hi \\ud800 \\u0000 模型"'),
  fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => `[${parts.join()}]`),
)
const message = fc
  .tuple(content, extraMembers(['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'function_call']))
  .map(([text, extra]) => objectWith({ role: '"user"', content: text }, extra))
const tool = fc
  .tuple(extraMembers(['type', 'function']), extraMembers(['name', 'parameters']), anyJson())
  .map(([extra, called, schema]) => {
    const parameters = objectWith({ type: '"object"', default: schema })
    return objectWith(
      { type: '"function"', function: objectWith({ name: '"f"', parameters }, called) },
      extra,
    )
  })
const format = fc
  .tuple(anyJson(), extraMembers(['type', 'json_schema']))
  .map(([schema, extra]) => objectWith({ type: '"json_schema"', json_schema: objectWith({ schema }) }, extra))

const chat = fc
  .record({
    message,
    tools: fc.option(tool),
    format: fc.option(format),
    bias: extraMembers([]),
    seed,
    extra: extraMembers([...chatFields.keys(), ...routed]),
  })
  .map(({ message: said, tools, format: wanted, bias, seed: chosen, extra }) => ({
    known: {
      messages: `[${said}]`,
      ...(tools === null ? {} : { tools: `[${tools}]` }),
      ...(wanted === null ? {} : { response_format: wanted }),
      logit_bias: objectWith({}, bias),
      metadata: objectWith({}, bias),
      seed: chosen,
      temperature: '0.70',
      max_tokens: 'null',
    },
    extra,
  }))

const text = fc
  .record({
    prompt: fc.constantFrom('"Hi"', '"\\udfff\\u0000"', '[1, 2,3]'),
    bias: extraMembers([]),
    seed,
    extra: extraMembers([...textFields.keys(), ...routed]),
  })
  .map(({ prompt, bias, seed: chosen, extra }) => ({
    known: { prompt, logit_bias: objectWith({}, bias), seed: chosen, temperature: '1e0' },
    extra,
  }))

const embeddings = fc
  .record({
    input: fc.constantFrom('"Hi"', '["\\ud800"]', '[1,2]', '[[1],[2]]'),
    extra: extraMembers([...routed, 'input', 'dimensions', 'encoding_format', 'user']),
  })
  .map(({ input, extra }) => ({ known: { input }, extra }))

const document = extraMembers(['text']).map((extra) => objectWith({ text: '"cats"' }, extra))
const rerank = fc
  .record({
    documents: fc.array(fc.oneof(fc.constant('"dogs"'), document), { minLength: 1, maxLength: 3 }),
    extra: extraMembers([
      ...routed,
      ...['query', 'documents', 'top_n', 'return_documents', 'rank_fields', 'max_chunks_per_doc'],
    ]),
  })
  .map(({ documents, extra }) => ({ known: { query: '"cats"', documents: `[${documents.join()}]` }, extra }))

/** Every path whose requests are forwarded to such a server unchanged. */
export const paths: readonly Path[] = [
  { path: '/chat/completions', streams: true, members: chat },
  { path: '/completions', streams: true, members: text },
  { path: '/embeddings', streams: false, members: embeddings },
  { path: '/rerank', streams: false, members: rerank },
]
