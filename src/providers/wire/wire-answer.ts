/** An upstream's answer. Its owner reads it to the end, by `text` or `chunks`, or discards it. */
export interface WireAnswer {
  readonly status: number
  /** A header's value by its name in lower case. No one else sees the upstream's headers. */
  header(name: string): string | undefined
  /**
   * The whole body: at once, where it is there. Throws, or rejects with, `invalid_response`, the connection dropped,
   * when
   * it is longer than the limit.
   */
  text(limitBytes: number): string | Promise<string>
  /** The body as it comes, one piece per read. An upstream ahead of its reader is made to wait. */
  chunks(): AsyncIterable<Buffer>
  /**
   * Wants no more of the body. One that is about to end may, so that its connection can be used again;
   * otherwise the connection is dropped.
   */
  discard(): void
}

/** The id an upstream gave the request, as far as it is one that can be told. */
export function requestIdIn(answer: Pick<WireAnswer, 'header'>): string | undefined {
  let id: string | undefined
  for (const name of requestIdHeaders) id ??= answer.header(name)
  if (id === undefined || isPlainId.test(id)) return id
  return id.replace(/[^A-Za-z0-9._:-]/g, '').slice(0, 128) || undefined
}

const isPlainId = /^[A-Za-z0-9._:-]{1,128}$/

const requestIdHeaders = ['x-request-id', 'x-baseten-request-id', 'request-id', 'cf-ray']
