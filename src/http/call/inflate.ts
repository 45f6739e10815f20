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
  /** The maximum length of the output. */
  readonly bytes: number
  /** Called with the output's length so far. It may throw to stop the reading. */
  readonly hold: (bytes: number) => void
}

/** The encoding of a request's body, in lower case; undefined if it is not compressed. */
export function encodingOf({ headers }: IncomingMessage): string | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase()
  return encoding === '' || encoding === 'identity' ? undefined : encoding
}

/**
 * Reads a compressed body. Rejects with a Failure: `unsupported_media` for an unknown encoding, `too_large` as soon as
 * the output exceeds the limit, `caller_left`, and `invalid_request` for a body that cannot be decompressed.
 */
export async function readInflated(
  request: IncomingMessage,
  encoding: string,
  { bytes: mostBytes, hold }: InflateLimits,
): Promise<Buffer> {
  const create = decoders.get(encoding)
  if (create === undefined) throw unsupportedEncoding()
  const decoder = encoding === 'deflate' && (await hasNoHeader(request)) ? createInflateRaw() : create()
  // When a caller disconnects, the request ends, but not the stream into which it is piped.
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

/** The error of a body over the limit. */
export function tooLarge(mostBytes: number): Failure {
  return new Failure('too_large', `The request body is larger than the ${mostBytes} bytes allowed.`)
}

/** The failure of a request whose caller has disconnected. */
export function callerLeft(cause: unknown): Failure {
  return new Failure('caller_left', 'The caller closed the connection.', { cause })
}

/** The error of a body that is incomplete or invalid. */
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

/** 8 MiB, which is all that RFC 9659 requires of a receiver. A frame could request 128 MiB with its first bytes. */
const zstdWindowLog = 23

/** True for `deflate` without zlib's header. RFC 9110 8.4.1.2 requires the header, but some clients omit it. */
async function hasNoHeader(request: IncomingMessage): Promise<boolean> {
  const first = await firstByte(request)
  if (first === undefined && !request.complete) throw callerLeft(undefined)
  // zlib's method is 8. Without a header, the same bits would be a form of stored block that no encoder writes.
  return first !== undefined && (first & 0x0f) !== 8
}

/** Peeks at the first byte; undefined if the body is empty. */
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
