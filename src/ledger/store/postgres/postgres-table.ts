import { Client } from 'pg'
import type { TableConnection } from '../responses.ts'

/** A connection to a database whose schema exists. Once it is lost, every call rejects: open another one. */
export function openPostgresTable(databaseUrl: string): TableConnection {
  const client = new Client({
    ...{ connectionString: databaseUrl, application_name: 'pandotate-gateway' },
    ...{ connectionTimeoutMillis: connectWithinMs, query_timeout: answerWithinMs, keepAlive: true },
  })
  // Pending queries reject by themselves.
  client.on('error', () => undefined)
  let connecting: Promise<unknown> | undefined
  const query = async (text: string, values: readonly unknown[]) => {
    connecting ??= client.connect()
    await connecting
    return (await client.query<Record<string, unknown>>(numbered(text), [...values])).rows
  }
  return {
    all: query,
    async inTransaction(work) {
      await query('begin', [])
      try {
        const result = await work()
        await query('commit', [])
        return result
      } catch (thrown) {
        // If the connection is lost, the database rolls back by itself.
        await query('rollback', []).catch(() => undefined)
        throw thrown
      }
    },
    async [Symbol.asyncDispose]() {
      await connecting?.then(
        () => client.end(),
        () => undefined,
      )
    },
  }
}

const connectWithinMs = 2000
const answerWithinMs = 10_000

/** Replaces `?` with Postgres' numbered placeholders. */
function numbered(text: string): string {
  let place = 0
  return text.replaceAll('?', () => `$${++place}`)
}
