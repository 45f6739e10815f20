import type { PackedResponse, RecalledResponses, WantedResponses } from '../../core/model/response-storage.ts'

/**
 * The table of responses in a database, with SQL that all databases accept. Its methods are called one after another.
 */
export interface ResponseTable extends AsyncDisposable {
  put(tenant: string, response: PackedResponse): Promise<void>
  find(tenant: string, id: string): Promise<PackedResponse | undefined>
  recall(tenant: string, wanted: WantedResponses): Promise<RecalledResponses>
  remove(tenant: string, id: string): Promise<boolean>
}

export type TableBounds = {
  readonly maxEntries: number
  readonly maxBytes: number
  /** Counted from the last use. */
  readonly ttlMs: number
}

/** A connection used by this table only. A placeholder is written `?`. */
export interface TableConnection extends AsyncDisposable {
  all(text: string, values: readonly (string | number | null)[]): Promise<readonly Row[]>
  /** Runs `work` in a transaction. */
  inTransaction<Result>(work: () => Promise<Result>): Promise<Result>
}

export type Row = Readonly<Record<string, unknown>>

export function createResponseTable(
  connection: TableConnection,
  bounds: TableBounds,
  epochMs: () => number = Date.now,
): ResponseTable {
  return new Table(connection, bounds, epochMs)
}

class Table implements ResponseTable {
  readonly #connection: TableConnection
  readonly #bounds: TableBounds
  readonly #epochMs: () => number
  /** The last counted totals, plus additions since then. */
  #held = { entries: Number.POSITIVE_INFINITY, bytes: 0 }
  #sweepAt = 0

  constructor(connection: TableConnection, bounds: TableBounds, epochMs: () => number) {
    this.#connection = connection
    this.#bounds = bounds
    this.#epochMs = epochMs
  }

  async put(tenant: string, { id, previousId, text, itemIds, bytes, nodes }: PackedResponse): Promise<void> {
    if (bytes > this.#bounds.maxBytes) return
    await this.#connection.inTransaction(async () => {
      await this.#all('delete from responses where tenant = ? and id = ?', [tenant, id])
      const values = [tenant, id, previousId ?? null, text, bytes, nodes, this.#epochMs()]
      await this.#all(insertResponse, values)
      for (const some of chunks([...new Set(itemIds.filter(isPlain))])) {
        const rows = some.map(() => '(?, ?, ?)').join(', ')
        const text = `insert into response_items (tenant, item, response) values ${rows} ${onItemConflict}`
        await this.#all(
          text,
          some.flatMap((item) => [tenant, item, id]),
        )
      }
    })
    this.#held.entries++
    this.#held.bytes += bytes
    await this.#sweepInTime()
  }

  async find(tenant: string, id: string): Promise<PackedResponse | undefined> {
    if (!isPlain(id)) return undefined
    const [row] = await this.#all(`select ${columns} from responses where ${isFresh} and id = ?`, [
      tenant,
      this.#deadAt(),
      id,
    ])
    if (row === undefined) return undefined
    await this.#use(tenant, [id])
    return packedIn(row)
  }

  async recall(tenant: string, wanted: WantedResponses): Promise<RecalledResponses> {
    const { id, itemIds, bytes, nodes } = wanted
    const rows =
      id === undefined || !isPlain(id)
        ? []
        : await this.#all(chain, [tenant, this.#deadAt(), id, this.#deadAt(), bytes, nodes])
    const conversation = rows.map(packedIn)
    const isCut = sum(conversation, 'bytes') > bytes || sum(conversation, 'nodes') > nodes
    const last = conversation.at(-1)
    const next = last === undefined ? id : last.previousId
    const holders = await this.#holders(tenant, itemIds.filter(isPlain), { bytes, nodes })
    await this.#use(
      tenant,
      [...conversation, ...holders].map(({ id }) => id),
    )
    return { conversation, missing: isCut ? undefined : next, holders }
  }

  async remove(tenant: string, id: string): Promise<boolean> {
    if (!isPlain(id)) return false
    const removed = await this.#all(`delete from responses where ${isFresh} and id = ? returning id`, [
      tenant,
      this.#deadAt(),
      id,
    ])
    return removed.length > 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  async #holders(
    tenant: string,
    itemIds: readonly string[],
    room: { bytes: number; nodes: number },
  ): Promise<readonly PackedResponse[]> {
    const ids = new Set<string>()
    for (const some of chunks(itemIds)) {
      const rows = await this.#all(
        `select response from response_items where tenant = ? and item in (${placesOf(some)})`,
        [tenant, ...some],
      )
      for (const { response } of rows) ids.add(String(response))
    }
    const holders: PackedResponse[] = []
    for (const id of ids) {
      const [row] = await this.#all(`select ${columns} from responses where ${isFresh} and id = ?`, [
        tenant,
        this.#deadAt(),
        id,
      ])
      if (row === undefined) continue
      const holder = packedIn(row)
      holders.push(holder)
      room.bytes -= holder.bytes
      room.nodes -= holder.nodes
      if (room.bytes < 0 || room.nodes < 0) break
    }
    return holders
  }

  /** Updates the time of use, unless it changed by only a small part of the lifetime. */
  async #use(tenant: string, ids: readonly string[]): Promise<void> {
    const now = this.#epochMs()
    const usedBefore = now - Math.floor(this.#bounds.ttlMs / 100)
    for (const some of chunks([...new Set(ids)])) {
      const text = `update responses set used = ? where tenant = ? and used <= ? and id in (${placesOf(some)})`
      await this.#all(text, [now, tenant, usedBefore, ...some])
    }
  }

  #deadAt(): number {
    return this.#epochMs() - this.#bounds.ttlMs
  }

  /** Counts the table periodically, because other processes add responses too. */
  async #sweepInTime(): Promise<void> {
    const { maxEntries, maxBytes } = this.#bounds
    const { entries, bytes } = this.#held
    const now = this.#epochMs()
    if (entries <= maxEntries && bytes <= maxBytes && now < this.#sweepAt) return
    this.#sweepAt = now + sweepEveryMs
    await this.#connection.inTransaction(() => this.#sweep())
  }

  async #sweep(): Promise<void> {
    await this.#all('delete from responses where used <= ?', [this.#deadAt()])
    const rows = await this.#all(
      'select tenant, count(*) as entries, sum(bytes) as bytes from responses group by tenant',
      [],
    )
    const shares = rows.map(({ tenant, entries, bytes }) => ({
      tenant: String(tenant),
      entries: Number(entries),
      bytes: Number(bytes),
    }))
    const held = { entries: 0, bytes: 0 }
    for (const { entries, bytes } of shares) {
      held.entries += entries
      held.bytes += bytes
    }
    this.#held = held
    while (this.#isOver(held)) {
      const largest = shares.reduce((most, share) => (this.#part(share) > this.#part(most) ? share : most))
      const dropped = await this.#dropOldest(largest)
      for (const counted of [largest, held]) {
        counted.entries -= dropped.entries
        counted.bytes -= dropped.bytes
      }
      if (dropped.entries === 0) return
    }
  }

  #isOver({ entries, bytes }: Held): boolean {
    return entries > this.#bounds.maxEntries || bytes > this.#bounds.maxBytes
  }

  /** The part of the limits that is used: in entries or in bytes, whichever is larger. */
  #part({ entries, bytes }: Held): number {
    return Math.max(entries / this.#bounds.maxEntries, bytes / this.#bounds.maxBytes)
  }

  async #dropOldest({ tenant }: { readonly tenant: string }): Promise<Held> {
    const rows = await this.#all(
      `delete from responses where tenant = ? and id in
       (select id from responses where tenant = ? order by used, id limit 1) returning bytes`,
      [tenant, tenant],
    )
    return { entries: rows.length, bytes: rows.reduce((total, row) => total + Number(row['bytes']), 0) }
  }

  #all(text: string, values: readonly (string | number | null)[]): Promise<readonly Row[]> {
    return this.#connection.all(text, values)
  }
}

type Held = { entries: number; bytes: number }

const sweepEveryMs = 60_000

const columns = 'id, previous, body, bytes, nodes'

const isFresh = 'tenant = ? and used > ?'

const insertResponse =
  'insert into responses (tenant, id, previous, body, bytes, nodes, used) values (?, ?, ?, ?, ?, ?, ?)'

const onItemConflict = 'on conflict (tenant, item) do update set response = excluded.response'

/** A response and those that it continues, up to the first that exceeds the limits. */
const chain = `
  with recursive chain (tenant, id, previous, body, bytes, nodes, place, all_bytes, all_nodes) as (
    select tenant, id, previous, body, bytes, nodes, 0, bytes, nodes
      from responses where ${isFresh} and id = ?
    union all
    select r.tenant, r.id, r.previous, r.body, r.bytes, r.nodes, c.place + 1, c.all_bytes + r.bytes, c.all_nodes + r.nodes
      from responses r join chain c on r.tenant = c.tenant and r.id = c.previous
      where r.used > ? and c.all_bytes <= ? and c.all_nodes <= ?
  )
  select ${columns} from chain order by place`

/** Item ids of callers may be any text. Databases refuse a zero byte, and no id of ours is this long. */
function isPlain(id: string): boolean {
  return id.length <= longestId && id.isWellFormed() && !id.includes('\0')
}

const longestId = 512

function packedIn({ id, previous, body, bytes, nodes }: Row): PackedResponse {
  const previousId = typeof previous === 'string' ? previous : undefined
  return {
    ...{ id: String(id), previousId, text: String(body), itemIds: [] },
    ...{ bytes: Number(bytes), nodes: Number(nodes) },
  }
}

function sum(responses: readonly PackedResponse[], what: 'bytes' | 'nodes'): number {
  return responses.reduce((total, response) => total + response[what], 0)
}

function placesOf(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

/** Splits values into lists that fit one statement. */
function* chunks(values: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < values.length; at += 200) yield values.slice(at, at + 200)
}
