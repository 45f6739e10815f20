import type { IncomingMessage } from 'node:http'
import type { HeaderLookup } from '../../dialects/shared/dialect.ts'

/** Looks up a request's headers for a dialect. Repeated headers are joined. */
export function headerLookup({ headers }: IncomingMessage): HeaderLookup {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }
}
