import { Client, type QueryResultRow } from 'pg'

/** A connection that listens on a channel while it lasts. */
export type FeedConnection = AsyncDisposable & {
  /** One query at a time. */
  ask<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
  readonly isLost: boolean
}

export async function connectFeed(
  databaseUrl: string,
  channel: string,
  onNotification: (payload: string) => void,
): Promise<FeedConnection> {
  const client = new Client({
    ...{ connectionString: databaseUrl, application_name: 'pandotate-gateway-feed' },
    ...{ connectionTimeoutMillis: connectWithinMs, query_timeout: answerWithinMs, keepAlive: true },
  })
  let isLost = false
  client.on('error', () => {
    isLost = true
  })
  client.on('end', () => {
    isLost = true
  })
  client.on('notification', ({ payload = '[]' }) => onNotification(payload))
  await client.connect()
  await client.query(`listen ${channel}`)
  let previous: Promise<unknown> = Promise.resolve()
  return {
    ask<Row extends QueryResultRow>(text: string, values: readonly unknown[]) {
      const answer = previous.then(() => client.query<Row>(text, [...values])).then(({ rows }) => rows)
      previous = answer.catch(() => undefined)
      return answer
    },
    get isLost() {
      return isLost
    },
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  }
}

const connectWithinMs = 5000
const answerWithinMs = 10_000
