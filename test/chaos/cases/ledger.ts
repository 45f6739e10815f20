import { strict as assert } from 'node:assert'
import { randomInt } from 'node:crypto'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { removeDirectory } from '../../harness/directory.ts'
import { noPostgres, startPostgres } from '../../ledger/postgres-server.ts'
import { mountSmallDisk, noSmallDisk } from '../../ledger/small-disk.ts'
import type { FaultCase } from '../fault-case.ts'
import type { Stage } from '../harness.ts'
import {
  askOnce,
  idsInLedger,
  readAdmin,
  startCallers,
  startLedgerGateway,
  until,
} from '../ledger-harness.ts'
import { type BillingUpstream, startBillingUpstream } from '../upstream/billing-upstream.ts'

/** Faults 30, 31 and 33: the ledger’s process, its disk and its database. */
export const ledgerCases: readonly FaultCase[] = [
  {
    fault: 30,
    name: 'a hundred times, under load',
    outcome:
      'no call is lost that a caller saw, none is there twice; the bill is what was spent, or within what is uncertain',
    play: killAgainAndAgain,
  },
  {
    fault: 31,
    name: 'a full disk',
    outcome: 'admitted calls settle; no call under a budget is admitted, and later everything works again',
    play: fillTheDisk,
  },
  {
    fault: 33,
    name: 'for half a minute',
    outcome:
      'no call fails; the journal keeps the records, and all are in the database once it is back, each once',
    play: loseTheDatabase,
  },
]

type Budgets = { readonly data: readonly Money[] }
type Usage = { readonly data: readonly { cost_nano_usd: number; uncertain_nano_usd: number }[] }
type Money = {
  readonly spent_nano_usd: number
  readonly uncertain_nano_usd: number
  readonly held_nano_usd: number
}

async function killAgainAndAgain(stage: Stage): Promise<void> {
  const rounds = stage.isLong ? 100 : 3
  await using upstream = await startBillingUpstream()
  const directory = await mkdtemp(join(tmpdir(), 'chaos-ledger-'))
  const acknowledged: string[] = []
  for (let round = 0; round < rounds; round++) {
    const gateway = await startLedgerGateway(upstream, directory)
    const callers = startCallers(gateway.url, 16, acknowledged)
    const aim = acknowledged.length + 10
    await until('some calls are answered', () => acknowledged.length > aim)
    await setTimeout(randomInt(200))
    gateway.kill()
    await Promise.all([gateway.ended, callers.stop()])
  }
  await using gateway = await startLedgerGateway(upstream, directory)
  await agreesWithBill(gateway.url, upstream, acknowledged)
  stage.note(
    `Killed ${rounds} times: ${acknowledged.length} answers were seen, and all are in the ledger, once.`,
  )
  await gateway[Symbol.asyncDispose]()
  await removeDirectory(directory)
}

/** Spent is what was billed, but for what the ledger says is uncertain, and reports say the same. */
async function agreesWithBill(
  url: string,
  upstream: BillingUpstream,
  acknowledged: readonly string[],
): Promise<void> {
  const ids = await idsInLedger(url)
  assert.equal(new Set(ids).size, ids.length, 'a call is in the ledger twice')
  const known = new Set(ids)
  const lost = acknowledged.filter((id) => !known.has(id))
  assert.deepEqual(lost, [], 'calls that were answered are not in the ledger')
  const { data } = await readAdmin<Budgets>(url, '/admin/api/budgets')
  const [budget] = data
  assert(budget !== undefined, 'there is no budget')
  const billed = upstream.billedNanoUsd()
  assert.equal(budget.held_nano_usd, 0)
  assert(budget.spent_nano_usd <= billed, `spent ${budget.spent_nano_usd}, billed ${billed}`)
  const most = budget.spent_nano_usd + budget.uncertain_nano_usd
  assert(billed <= most, `billed ${billed}, spent and uncertain ${most}`)
  const { data: rows } = await readAdmin<Usage>(url, '/admin/api/usage?by=model')
  const sum = (of: (row: Usage['data'][number]) => number) => rows.reduce((all, row) => all + of(row), 0)
  assert.equal(
    sum((row) => row.cost_nano_usd),
    budget.spent_nano_usd,
    'the reports have another cost',
  )
  const uncertain = sum((row) => row.uncertain_nano_usd)
  assert.equal(uncertain, budget.uncertain_nano_usd, 'the reports have another uncertain amount')
}

async function fillTheDisk(stage: Stage): Promise<void> {
  if (noSmallDisk !== undefined) {
    stage.note(`A full disk was not tried: ${noSmallDisk}.`)
    return
  }
  await using upstream = await startBillingUpstream()
  using disk = mountSmallDisk(12 * 1024 * 1024)
  await using gateway = await startLedgerGateway(upstream, disk.path)
  await askOnce(gateway.url)
  const filler = join(disk.path, 'filler')
  for (let bytes = 1024 * 1024; bytes >= 512; ) {
    await appendFile(filler, Buffer.alloc(bytes)).catch(() => {
      bytes /= 2
    })
  }
  let refused = 0
  await until('a call under a budget is refused', async () => {
    const isAnswered = await askOnce(gateway.url).then(
      () => true,
      () => false,
    )
    if (!isAnswered) refused++
    return refused > 0
  })
  await rm(filler)
  await until('calls are admitted again', () =>
    askOnce(gateway.url).then(
      () => true,
      () => false,
    ),
  )
  const [budget] = (await readAdmin<Budgets>(gateway.url, '/admin/api/budgets')).data
  assert.equal(budget?.held_nano_usd, 0)
  assert.equal(budget?.spent_nano_usd, upstream.billedNanoUsd())
}

async function loseTheDatabase(stage: Stage): Promise<void> {
  if (noPostgres !== undefined) {
    stage.note(`A database that fails over was not tried: ${noPostgres}.`)
    return
  }
  await using server = await startPostgres()
  await using upstream = await startBillingUpstream()
  const directory = await mkdtemp(join(tmpdir(), 'chaos-ledger-'))
  const gateway = await startLedgerGateway(upstream, directory, {
    DATABASE_URL: await server.createDatabase(),
  })
  const acknowledged: string[] = []
  const callers = startCallers(gateway.url, 8, acknowledged)
  await until('some calls are answered', () => acknowledged.length > 50)
  await server.kill()
  const before = acknowledged.length
  await setTimeout(stage.isLong ? 30_000 : 1000)
  await until('calls continue', () => acknowledged.length > before + 50)
  await server.start()
  await until('the database takes records again', async () => {
    return (await ledgerOf(gateway.url)).status === 'ok'
  })
  await callers.stop()
  // A long loss leaves more than a query waits for.
  await until('the database is up to date', async () => {
    return (await ledgerOf(gateway.url)).behind_bytes === 0
  })
  await agreesWithBill(gateway.url, upstream, acknowledged)
  await gateway[Symbol.asyncDispose]()
  await removeDirectory(directory)
}

type LedgerHealth = { readonly status: string; readonly behind_bytes: number }

async function ledgerOf(url: string): Promise<LedgerHealth> {
  return ((await (await fetch(`${url}/health`)).json()) as { ledger: LedgerHealth }).ledger
}
