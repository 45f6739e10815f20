/** There may be keys that cannot be read: without them, the gateway would let everybody in. */
export class UnknownKeys extends Error {
  readonly code = 'ERR_KEYS_UNKNOWN'
}
