import { openaiUsage } from './replies.ts'

/**
 * How the mock upstream streams for a model named `stream-<chunks>-<pacing ms>[-<bytes per chunk>]`, every byte of it
 * made beforehand; undefined for any other name. Pacing 0 is as fast as the connection takes it.
 */
export function writeScript(model: string, kind: StreamKind): StreamScript | undefined {
  const named = /^stream-([1-9]\d*)-(\d+)(?:-([1-9]\d*))?$/.exec(model)
  if (named === null) return undefined
  const frame = (choices: readonly object[], more: object = {}) =>
    event(
      JSON.stringify({
        id: 'chatcmpl-9f8b7c6d5e4f3a2b1c0d',
        object: kind === 'chat' ? 'chat.completion.chunk' : 'text_completion',
        created: 1_763_800_000,
        model,
        system_fingerprint: 'fp_bench',
        choices,
        ...more,
      }),
    )
  const text = chunkText(Number(named[3] ?? 5))
  const content = frame([piece(kind, { content: text }, null)])
  const role = kind === 'chat' ? [frame([piece(kind, { role: 'assistant', content: '' }, null)])] : []
  const ending = [
    frame([piece(kind, {}, 'stop')]),
    frame([], { usage: openaiUsage }),
    event('[DONE]'),
    Buffer.from('0\r\n\r\n'),
  ]
  return {
    chunks: Number(named[1]),
    pacingMs: Number(named[2]),
    // The role comes with the first text, as from most servers: what a proxy may hold back until there is text
    // to show would otherwise count as its delay.
    opening: Buffer.concat([head, ...role, content]),
    content,
    burst: Buffer.concat(Array.from({ length: chunksPerBurst }, () => content)),
    ending: Buffer.concat(ending),
  }
}

/** What one chunk adds to the text. */
export function chunkText(bytes: number): string {
  return ` ${'wave'.repeat(Math.ceil(bytes / 4))}`.slice(0, bytes)
}

export type StreamKind = 'chat' | 'text'

/** Bytes ready for the socket, each event in an HTTP chunk of its own, as servers flush them. */
export type StreamScript = {
  readonly chunks: number
  readonly pacingMs: number
  /** The head, and the first of the chunks. */
  readonly opening: Buffer
  readonly content: Buffer
  /** `chunksPerBurst` times `content`. */
  readonly burst: Buffer
  readonly ending: Buffer
}

/** So many chunks share a write when there is no pacing. */
export const chunksPerBurst = 4

const head = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'content-type: text/event-stream; charset=utf-8',
    'cache-control: no-cache',
    'x-request-id: req_bench',
    'transfer-encoding: chunked',
    '\r\n',
  ].join('\r\n'),
)

function piece(kind: StreamKind, delta: { content?: string; role?: string }, finish: string | null): object {
  const said = kind === 'chat' ? { delta } : { text: delta.content ?? '' }
  return { index: 0, ...said, logprobs: null, finish_reason: finish }
}

function event(data: string): Buffer {
  const bytes = `data: ${data}\n\n`
  return Buffer.from(`${bytes.length.toString(16)}\r\n${bytes}\r\n`)
}
