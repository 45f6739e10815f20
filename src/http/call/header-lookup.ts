import type { IncomingMessage } from 'node:http'
import type { HeaderLookup } from '../../dialects/shared/dialect.ts'

/** A request's headers as a dialect reads them: repeated headers are joined. */
export function headerLookup({ headers }: IncomingMessage): HeaderLookup {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }
}
