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

/** A decompressed body; `bytes` is its length. */
export type Body = { readonly json: JsonText; readonly bytes: number }

export type BodyLimits = {
  /** Of the decompressed body. */
  readonly bodyBytes: number
  readonly jsonDepth: number
  /** Members and containers together. */
  readonly jsonNodes: number
}

/**
 * Reads a request's body as one JSON object: at once if all of it is there. Throws, or rejects with, a Failure that
 * says what is wrong; malformed JSON has the code `invalid_json`. `hold` is called with the decompressed length so far,
 * and may throw. A body that comes too slowly is abandoned.
 */
export type BodyReader = (ctx: Context, hold?: (bytes: number) => void) => Body | Promise<Body>

/** A reader with these limits. */
export function createBodyReader({ bodyBytes, ...shape }: BodyLimits): BodyReader {
  // koa-bodyparser reads and limits; as `text` without an encoding it gives the raw bytes. Its JSON mode would keep
  // prompts on its errors, accept bad UTF-8, and lose digits; its decompression never ends if the caller leaves in the
  // middle. Bodies that are neither compressed nor chunked, which is nearly all, are read here without its layers.
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

/**
 * A browser may send other types to this address without a preflight, on behalf of any page: requiring JSON keeps web
 * pages from using the operator's keys.
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

/** The length of an uncompressed body; undefined if it does not give its length. */
function plainLength({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/** A body that came together with its headers, as most do: nothing to wait for. */
function bytesAtHand(request: IncomingMessage, plainBytes: number): Buffer | undefined {
  if (!request.complete || request.readableLength !== plainBytes) return undefined
  const bytes: unknown = request.read()
  return Buffer.isBuffer(bytes) ? bytes : undefined
}

/** Reads a body up to its content length: Node's parser gives no more. */
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

/** Rejects with what `hold` throws. Call it once the reader listens, so that it sees the body from its start. */
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
  // Each takes at least one character.
  if (text.length > jsonNodes && nodesOf(text, jsonNodes) > jsonNodes) {
    throw invalidJson(`The body has more than ${jsonNodes} keys, objects and arrays.`)
  }
  const value = parse(text)
  if (!isObject(value)) throw invalidJson('The body must be a JSON object.')
  // As a key it is a trap for code that copies objects; as text in a prompt it is harmless.
  if (mayNameProto(text) && hasProtoKey(value)) {
    throw invalidJson('The body has a key named `__proto__`, which is not allowed.')
  }
  return { json: JsonText.read(value, text, textBytes), bytes: bytes.length }
}

/** Plain, or with some letters escaped. */
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
    // The parser's own message quotes the body, so it is not passed on.
    throw invalidJson('We could not parse the JSON body of your request. Check it for syntax errors.')
  }
}

function invalidJson(message: string): Failure {
  return new Failure('invalid_request', message, { code: 'invalid_json' })
}
