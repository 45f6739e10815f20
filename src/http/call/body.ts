import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import { createBatch } from '../../core/attempt/batch.ts'
import { Failure } from '../../core/model/failure.ts'
import { hasProtoKey, isObject, parseJson } from '../../core/model/json/json.ts'
import { depthOf, nodesOf } from '../../core/model/json/json-scan.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { inTime } from './body-clock.ts'
import { broken, callerLeft, encodingOf, readInflated, tooLarge } from './inflate.ts'

/** A parsed body. `bytes` is its decompressed length. */
export type Body = { readonly json: JsonText; readonly bytes: number }

export type BodyLimits = {
  /** The maximum length of the decompressed body. */
  readonly bodyBytes: number
  readonly jsonDepth: number
  /** The maximum number of keys, objects and arrays together. */
  readonly jsonNodes: number
}

/**
 * Reads a request's body as one JSON object; synchronously if it has arrived completely. Throws, or rejects with, a
 * Failure; malformed JSON has the code `invalid_json`. `hold` is called with the decompressed length so far, and may
 * throw. A body that arrives too slowly is refused.
 */
export type BodyReader = (ctx: Context, hold?: (bytes: number) => void) => Body | Promise<Body>

/** Creates a reader with these limits. */
export function createBodyReader({ bodyBytes, ...shape }: BodyLimits): BodyReader {
  // koa-bodyparser reads bodies and limits their length. Its type `text` without an encoding returns the raw bytes. Its
  // JSON mode is not used, because it keeps prompts in its errors, accepts invalid UTF-8 and loses digits. Its
  // decompression is not used, because it never ends if the caller disconnects. Nearly all bodies are neither
  // compressed nor chunked, and are read without it.
  const options: bodyParser.Options & { encoding: string } = {
    enableTypes: ['text'],
    extendTypes: { text: ['application/json', '+json'] },
    encoding: '',
    textLimit: String(bodyBytes),
  }
  const read = bodyParser(options)
  const batch = createBatch()
  const readOther = async (ctx: Context, hold: (bytes: number) => void) => {
    requireJson(ctx)
    const encoding = encodingOf(ctx.req)
    if (encoding !== undefined) {
      return parseBody(await readInflated(ctx.req, encoding, { bytes: bodyBytes, hold }), shape)
    }
    try {
      const reading = read(ctx, proceed)
      await Promise.race([reading, untilTooMuch(ctx.req, hold)])
    } catch (thrown) {
      if (thrown instanceof Failure) throw thrown
      throw unreadable(thrown, bodyBytes)
    }
    const bytes: unknown = ctx.request.body
    if (!Buffer.isBuffer(bytes)) throw invalidJson('The body is empty: send a JSON object.')
    return parseBody(bytes, shape)
  }
  return (ctx, hold = holdNothing) => {
    const plainBytes = plainLength(ctx.req)
    if (plainBytes === undefined || encodingOf(ctx.req) !== undefined) {
      return inTime(ctx.req, readOther(ctx, hold))
    }
    requireJson(ctx)
    if (plainBytes > bodyBytes) throw tooLarge(bodyBytes)
    const bytes = bytesAtHand(ctx.req, plainBytes)
    if (bytes !== undefined) return parseBody(bytes, shape)
    const reading = new Promise<Buffer>((resolve, reject) => {
      readPlain(ctx.req, hold, (late) => batch(() => resolve(late)), reject)
    })
    return inTime(ctx.req, reading).then((late) => parseBody(late, shape))
  }
}

async function proceed(): Promise<void> {}

function holdNothing(): void {}

/** Whether a request has no body, not even an empty one in chunks. */
export function hasNoBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
}

/**
 * Requires JSON. A browser sends other types without a preflight for any web page, which could then use the operator's
 * keys.
 */
export function requireJson(ctx: Context): void {
  const type = ctx.request.headers['content-type']
  if (type === undefined || !isJsonInUtf8(type)) {
    throw new Failure(
      'unsupported_media',
      'Send the body as JSON in UTF-8, with the header `Content-Type: application/json`.',
      { param: null },
    )
  }
}

function isJsonInUtf8(type: string): boolean {
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) return false
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(type)?.[1]
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)
}

/** The announced length of the body; undefined if it is chunked. */
function plainLength({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/** The body, if it has arrived with the headers, as most do. */
function bytesAtHand(request: IncomingMessage, plainBytes: number): Buffer | undefined {
  if (!request.complete || request.readableLength !== plainBytes) return undefined
  const bytes: unknown = request.read()
  return Buffer.isBuffer(bytes) ? bytes : undefined
}

/** Reads a body. Node's parser ends it at its content length. */
function readPlain(
  request: IncomingMessage,
  hold: (bytes: number) => void,
  done: (bytes: Buffer) => void,
  failed: (thrown: unknown) => void,
): void {
  const pieces: Buffer[] = []
  let bytes = 0
  request.on('data', (piece: Buffer) => {
    pieces.push(piece)
    bytes += piece.length
    try {
      hold(bytes)
    } catch (thrown) {
      // Further bytes are discarded.
      request.removeAllListeners('data')
      failed(thrown)
    }
  })
  request.on('end', () => {
    done(pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces))
  })
  request.on('error', (cause) => failed(callerLeft(cause)))
}

/**
 * Rejects with the error that `hold` throws. Call it after the reader has attached its listeners, so that both see the
 * body from its start.
 */
function untilTooMuch(request: IncomingMessage, hold: (bytes: number) => void): Promise<never> {
  return new Promise((_, reject) => {
    let bytes = 0
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      try {
        hold(bytes)
      } catch (thrown) {
        request.removeAllListeners('data')
        reject(thrown)
      }
    })
  })
}

function unreadable(thrown: unknown, bodyBytes: number): Failure {
  const { status, type } = isObject(thrown) || thrown instanceof Error ? (thrown as HttpError) : {}
  if (status === 413) return tooLarge(bodyBytes)
  return type === 'request.aborted' ? callerLeft(thrown) : broken(thrown)
}

type HttpError = { readonly status?: unknown; readonly type?: unknown }

function parseBody(bytes: Buffer, { jsonDepth, jsonNodes }: Omit<BodyLimits, 'bodyBytes'>): Body {
  if (bytes.length === 0) throw invalidJson('The body is empty: send a JSON object.')
  if (!isUtf8(bytes)) throw invalidJson('The body is not valid UTF-8.')
  const textBytes = startsWithBom(bytes) ? bytes.subarray(3) : bytes
  const text = textBytes.toString('utf8')
  if (depthOf(text, jsonDepth) > jsonDepth) {
    throw invalidJson(`The body is nested more than ${jsonDepth} levels deep.`)
  }
  // Each node takes at least one character.
  if (text.length > jsonNodes && nodesOf(text, jsonNodes) > jsonNodes) {
    throw invalidJson(`The body has more than ${jsonNodes} keys, objects and arrays.`)
  }
  const value = parse(text)
  if (!isObject(value)) throw invalidJson('The body must be a JSON object.')
  // As a key, `__proto__` is dangerous for code that copies objects. In a string it is harmless.
  if (mayNameProto(text) && hasProtoKey(value)) {
    throw invalidJson('The body has a key named `__proto__`, which is not allowed.')
  }
  return { json: JsonText.read(value, text, textBytes), bytes: bytes.length }
}

/** True if the text may contain the key, plain or with escaped letters. */
function mayNameProto(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u00')
}

function startsWithBom(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    // The parser's own message quotes the body, so it is not used.
    throw invalidJson('We could not parse the JSON body of your request. Check it for syntax errors.')
  }
}

function invalidJson(message: string): Failure {
  return new Failure('invalid_request', message, { code: 'invalid_json' })
}
