import { Client } from 'pg'

/** One connection to a database. Once it is lost, every query rejects: open another. */
export interface PostgresConnection extends AsyncDisposable {
  /** It is connected in a turn only. */
  readonly client: Client
  /** Runs `work` after all earlier work: a connection runs one query at a time. The first turn connects. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>
  /** In a turn. */
  inTransaction<Result>(work: () => Promise<Result>, begin?: string): Promise<Result>
}

export type Row = Readonly<Record<string, unknown>>

export function createConnection(databaseUrl: string): PostgresConnection {
  const client = new Client({
    ...{ connectionString: databaseUrl, application_name: 'pandotate-gateway' },
    ...{ connectionTimeoutMillis: connectWithinMs, query_timeout: answerWithinMs, keepAlive: true },
  })
  // Pending queries reject by themselves.
  client.on('error', () => undefined)
  let connecting: Promise<unknown> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  return {
    client,
    inTurn(work) {
      const result = turn.then(() => (connecting ??= client.connect())).then(work)
      turn = result.catch(() => undefined)
      return result
    },
    async inTransaction(work, begin = 'begin') {
      try {
        await client.query(begin)
        const result = await work()
        await client.query('commit')
        return result
      } catch (thrown) {
        // If the connection is lost, the database rolls back by itself.
        await client.query('rollback').catch(() => undefined)
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

const connectWithinMs = 5000
const answerWithinMs = 60_000
