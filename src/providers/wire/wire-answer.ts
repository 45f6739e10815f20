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
