import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { Failure } from '../../core/model/failure.ts'

export type InflateLimits = {
  /** Of what comes out. */
  readonly bytes: number
  /** Is told how many bytes have come out so far; may throw, and nothing more is read then. */
  readonly hold: (bytes: number) => void
}

/** How a request's body is compressed, in lower case; undefined where it is not. */
export function encodingOf({ headers }: IncomingMessage): string | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase()
  return encoding === '' || encoding === 'identity' ? undefined : encoding
}

/**
 * Reads a compressed body. Rejects with a Failure: `unsupported_media` for an encoding that is not known, `too_large`
 * as soon as more comes out than may, `caller_left`, and `invalid_request` for what cannot be decompressed.
 */
export async function readInflated(
  request: IncomingMessage,
  encoding: string,
  { bytes: mostBytes, hold }: InflateLimits,
): Promise<Buffer> {
  const create = decoders.get(encoding)
  if (create === undefined) throw unsupportedEncoding()
  const decoder = encoding === 'deflate' && (await hasNoHeader(request)) ? createInflateRaw() : create()
  // Who leaves in the middle ends the request, but not what it is piped into.
  const leave = () => {
    if (!request.complete) decoder.destroy(callerLeft(undefined))
  }
  request.once('close', leave)
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of request.pipe(decoder) as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > mostBytes) throw tooLarge(mostBytes)
      hold(bytes)
      pieces.push(piece)
    }
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : broken(thrown)
  } finally {
    request.off('close', leave)
    request.unpipe(decoder)
  }
  return Buffer.concat(pieces, bytes)
}

/** What is said of a body that is longer than it may be. */
export function tooLarge(mostBytes: number): Failure {
  return new Failure('too_large', `The request body is larger than the ${mostBytes} bytes allowed.`)
}

/** What a request ends with whose caller is gone. */
export function callerLeft(cause: unknown): Failure {
  return new Failure('caller_left', 'The caller closed the connection.', { cause })
}

/** What is said of a body that does not come to its end, or is not what it says it is. */
export function broken(cause: unknown): Failure {
  return new Failure('invalid_request', 'The request body could not be read or decompressed.', { cause })
}

const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } })],
])

/** 8 MiB: no more is asked of a receiver by RFC 9659, and a frame may else claim 128 MiB with its first bytes. */
const zstdWindowLog = 23

/** What is called deflate has zlib's header (RFC 9110 8.4.1.2), but some leave it out: its first byte tells. */
async function hasNoHeader(request: IncomingMessage): Promise<boolean> {
  const first = await firstByte(request)
  if (first === undefined && !request.complete) throw callerLeft(undefined)
  // Zlib's method is 8. Without a header that were a block of stored bytes, of an odd kind that nothing writes.
  return first !== undefined && (first & 0x0f) !== 8
}

/** Left where it is; undefined where the body ends before it. */
function firstByte(request: IncomingMessage): Promise<number | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const piece: Buffer | null = request.read()
      if (piece === null && !request.readableEnded && !request.destroyed) return
      request.off('readable', look).off('end', look).off('close', look)
      if (piece !== null) request.unshift(piece)
      resolve(piece?.[0])
    }
    request.on('readable', look).on('end', look).on('close', look)
    look()
  })
}

function unsupportedEncoding(): Failure {
  const accepted = 'gzip, deflate, br, zstd'
  const message = `The body has a Content-Encoding that is not supported. Send one of ${accepted}, or none.`
  return new Failure('unsupported_media', message, { headers: { 'accept-encoding': accepted } })
}
