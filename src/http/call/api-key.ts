import type { IncomingMessage } from 'node:http'

/**
 * The key of a request: `Authorization: Bearer KEY`, or the `api-key` and `x-api-key` headers of Azure's and
 * Anthropic's clients. Undefined if there is none.
 */
export function apiKeyOf({ headers }: IncomingMessage): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) {
    const bearer = /^bearer\s+(\S+)\s*$/i.exec(authorization)?.[1]
    if (bearer !== undefined) return bearer
  }
  const other = headers['api-key'] ?? headers['x-api-key']
  return typeof other === 'string' && other !== '' ? other : undefined
}
