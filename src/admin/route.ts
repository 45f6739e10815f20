import type * as z from 'zod'

/** One operation of the management API: what it takes and returns, as it is validated, documented and served. */
export type AdminRoute = {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** With parameters in braces: `/admin/api/keys/{hash}`. A plus allows slashes: `{+id}`. */
  readonly path: string
  /** Undefined: a key for calls, which asks about itself. */
  readonly role: 'metrics' | 'read' | 'admin' | undefined
  readonly tag: string
  readonly summary: string
  readonly query?: z.ZodObject | undefined
  readonly body?: z.ZodObject | undefined
  readonly status: number
  /** For JSON answers. It may return `contentType` and `text` instead, or events. */
  readonly answer: z.ZodType
  readonly handle: (ask: AdminAsk) => Promise<unknown> | unknown
}

/** Server-sent events: each `data` is sent unchanged, until the signal aborts. */
export type Events = { listen(tell: (data: string) => void, signal: AbortSignal): void }

/** An authorized request, its parts parsed by the schemas. */
export type AdminAsk = {
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
  /** The manager's name in audit rows. */
  readonly by: string
  /** The identity of the key of the request. Undefined: no key was required. */
  readonly key: string | undefined
}

/** A route whose handler gets the types of its schemas. */
export function route<Query extends z.ZodObject, Body extends z.ZodObject>(
  made: Omit<AdminRoute, 'query' | 'body' | 'handle'> & {
    readonly query?: Query
    readonly body?: Body
    readonly handle: (
      ask: Omit<AdminAsk, 'query' | 'body'> & {
        readonly query: z.output<Query>
        readonly body: z.output<Body>
      },
    ) => Promise<unknown> | unknown
  },
): AdminRoute {
  return made as unknown as AdminRoute
}
