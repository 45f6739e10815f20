import { parseJson } from '../../core/model/json/json.ts'
import { depthOf } from '../../core/model/json/json-scan.ts'

/** An upstream's answer. Its owner reads it to the end, by `text` or `chunks`, or discards it. */
export interface WireAnswer {
  readonly status: number
  /** A header's value by its lower-case name. Nothing else reads the upstream's headers. */
  header(name: string): string | undefined
  /**
   * The whole body: at once if it is there. Throws, or rejects with, `invalid_response` and closes the connection if it
   * is longer than the limit.
   */
  text(limitBytes: number): string | Promise<string>
  /** The body as it comes, one piece per read. An upstream that is faster than its reader is paused. */
  chunks(): AsyncIterable<Buffer>
  /**
   * Discards the rest of the body. If it is about to end it may, so that its connection can be reused; otherwise the
   * connection is closed.
   */
  discard(): void
}

/** The id an upstream gave the request, if it is fit to be shown. */
export function requestIdIn(answer: Pick<WireAnswer, 'header'>): string | undefined {
  let id: string | undefined
  for (const name of requestIdHeaders) id ??= answer.header(name)
  if (id === undefined || isPlainId.test(id)) return id
  return id.replace(/[^A-Za-z0-9._:-]/g, '').slice(0, 128) || undefined
}

const isPlainId = /^[A-Za-z0-9._:-]{1,128}$/

const requestIdHeaders = ['x-request-id', 'x-baseten-request-id', 'request-id', 'cf-ray']

/** By the answer's content type; without one, by what was requested. */
export function isEventStream(answer: Headed, isAskedFor: boolean): boolean {
  const type = answer.header('content-type')
  return type === undefined ? isAskedFor : /^text\/event-stream\b/i.test(type)
}

type Headed = { header(name: string): string | undefined }

/** Reads the whole text of an answer: at once if it is there. Throws, or rejects, as `text` does. */
export function readWhole<Read>(
  answer: Pick<WireAnswer, 'text'>,
  limitBytes: number,
  read: (text: string) => Read,
): Read | Promise<Read> {
  const text = answer.text(limitBytes)
  return text instanceof Promise ? text.then(read) : read(text)
}

/**
 * An upstream's JSON; undefined if it is none. JSON that is nested too deeply counts as none: serializing it for a
 * caller would overflow the stack.
 */
export function parseAnswer(text: string): unknown {
  // Each level takes one character.
  if (text.length > deepest && depthOf(text, deepest) > deepest) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Nested objects and lists: four times as deep as a caller's body may be. */
const deepest = 256
