import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readCsvBill } from '../../../src/cli/ledger/reconcile/bill.ts'
import { type BookedRow, compareBills } from '../../../src/cli/ledger/reconcile/compare.ts'
import { decodeLine } from '../../../src/core/model/record/line-writer.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'
import { dayMs } from '../../../src/ledger/store/rollup.ts'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import { simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import { runCommand as run } from '../../harness/run-command.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { callEntry } from '../../ledger/lines.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('an invoice as CSV', () => {
  test('is read by the names of its columns, whatever else it has', () => {
    const text =
      '\uFEFFDate,"Model, full",Model,Cost (USD)\r\n2026-11-01,x,"a, ""b""","$1,234.50"\r\n2026-11-02T13:00:00Z,y,,-0.25\r\n'
    expect(readCsvBill(text)).toEqual([
      { day: '2026-11-01', name: 'a, "b"', nanoUsd: 1_234_500_000_000 },
      { day: '2026-11-02', name: undefined, nanoUsd: -250_000_000 },
    ])
  })

  test.for<[text: string, usd: number]>([
    ['"1,234.50"', 1234.5],
    ['$1234.5', 1234.5],
    ['"1,5"', 1.5],
    ['"0,125"', 0.125],
    ['"1.234,50"', 1234.5],
    ['"1,500"', 1500],
    ['1.500', 1.5],
    ['(3.20)', -3.2],
    ['-$3.20', -3.2],
    ['\u22123.20 USD', -3.2],
    ['3.20-', -3.2],
    ['1 234.5', 1234.5],
    ["1'234.5", 1234.5],
    ['1e-3', 0.001],
    ['.5', 0.5],
  ])('of %s has that amount', ([text, usd]) => {
    expect(readCsvBill(`date,cost\n2026-11-01,${text}`)[0]?.nanoUsd).toBe(usd * 1e9)
  })

  test('with semicolons has decimal commas', () => {
    expect(readCsvBill('Date;Model;Cost\r2026-11-01;m;1,500\r2026-11-02;m;1.234,5\r')).toEqual([
      { day: '2026-11-01', name: 'm', nanoUsd: 1_500_000_000 },
      { day: '2026-11-02', name: 'm', nanoUsd: 1_234_500_000_000 },
    ])
  })

  test('has its cost beside prices, quoted cells over several lines, and a total', () => {
    const text =
      'Description,Unit Price,Price,Date,Amount,Model\n"a 5"" disk,\nfast",1,2,2026-11-01, "3" ,m\n\nTotal,,,,3,\n'
    expect(readCsvBill(text)).toEqual([{ day: '2026-11-01', name: 'm', nanoUsd: 3_000_000_000 }])
  })

  test.for([
    ['2026-11-29 23:30:00', '2026-11-29'],
    ['2026-11-29T23:30', '2026-11-29'],
    ['2026-11-29T23:30:00-02:00', '2026-11-30'],
    ['2026-11-29 00:10:00 UTC', '2026-11-29'],
    ['"Nov 29, 2026"', '2026-11-29'],
    ['11/29/2026', '2026-11-29'],
  ])('of %s is of the day %s, wherever it is read', ([text, day]) => {
    vi.stubEnv('TZ', 'America/New_York')
    expect(readCsvBill(`date,cost\n${text},1`)[0]?.day).toBe(day)
  })

  test.for([
    ['with a number as its day', 'date,cost\n1,2', /line 2: "1" is not a date/],
    ['with a month as its day', 'date,cost\n2026-11,2', /line 2: "2026-11" is not a date/],
    ['in another currency', 'date,cost\n2026-11-01,€2', /line 2: "€2" is not an amount/],
    ['with a number in another base', 'date,cost\n2026-11-01,0x10', /line 2: "0x10" is not an amount/],
    ['with groups of two digits', 'date,cost\n2026-11-01,"1,23,456.5"', /is not an amount/],
    ['with both marks', 'date,cost\n2026-11-01,"1,5"\n2026-11-02,1.5', /line 2: "1,5" has a decimal comma/],
    ['with an open quotation mark', 'date,cost\n"2026-11-01,2', /line 2: a quotation mark is not closed/],
    ['with text after one', 'date,cost\n2026-11-01,"2"3', /line 2: there is text after/],
    [
      'with a day that is none after a cell of two lines',
      'date,cost,note\n2026-11-01,1,"a\nb"\nno,1,',
      /line 4: "no" is not a date/,
    ],
    [
      'without a column for the amount',
      'date,model\n2026-11-01,a',
      /needs one for the day \(date\) and one for the amount/,
    ],
    ['with a day that is none', 'date,cost\nnever,1', /line 2: "never" is not a date/],
    ['with an amount that is none', 'date,cost\n2026-11-01,much', /line 2: "much" is not an amount/],
  ] as const)('is refused %s', ([, text, told]) => {
    expect(() => readCsvBill(text)).toThrow(told)
  })
})

describe('what explains a difference', () => {
  const own: BookedRow = {
    ...{ day: '2026-11-01', name: 'm', nanoUsd: 5e9, uncertainNanoUsd: 0, requests: 9, cachedTokens: 0 },
  }
  const explained = (billed: number | undefined, booked: Partial<BookedRow> | undefined, isChanged = false) =>
    compareBills(
      billed === undefined ? [] : [{ day: own.day, name: 'm', nanoUsd: billed }],
      booked === undefined ? [] : [{ ...own, ...booked }],
      () => isChanged,
    )[0]?.reasons

  test.for<[string, number | undefined, Partial<BookedRow> | undefined, boolean, readonly string[]]>([
    ['next to none', 5_009_000_000, {}, false, []],
    ['what was uncertain was not billed', 4e9, { uncertainNanoUsd: 1e9 }, false, ['uncertain_attempts']],
    ['what was uncertain was billed', 6e9, { uncertainNanoUsd: 1e9 }, false, ['uncertain_attempts']],
    [
      'more than what was uncertain',
      3e9,
      { uncertainNanoUsd: 1e9 },
      false,
      ['uncertain_attempts', 'unexplained'],
    ],
    ['tokens that were cached', 4e9, { cachedTokens: 7 }, false, ['cached_tokens']],
    ['a price that changed', 6e9, {}, true, ['price_change']],
    ['nothing', 6e9, {}, false, ['unexplained']],
    ['no calls of ours', 6e9, undefined, false, ['not_in_ledger']],
    ['no bill', undefined, {}, false, ['not_in_bill']],
  ])('%s', ([, billed, booked, isChanged, reasons]) => {
    expect(explained(billed, booked, isChanged)).toEqual(reasons)
  })

  test('what a crash cut off may be on the bill of any model of that day', () => {
    const lost = { ...own, name: '', nanoUsd: 0, uncertainNanoUsd: 1e9 }
    const reasons = (...booked: readonly BookedRow[]) =>
      compareBills([{ day: own.day, name: 'm', nanoUsd: 6e9 }], booked, () => false).map((row) => row.reasons)
    expect(reasons(lost, own)).toEqual([[], ['uncertain_attempts']])
    expect(reasons({ ...lost, day: '2026-11-02' }, own)).toEqual([['unexplained'], []])
    expect(reasons({ ...lost, uncertainNanoUsd: 5e8 }, own)).toEqual([
      [],
      ['uncertain_attempts', 'unexplained'],
    ])
  })

  test('a bill that names no models is held against the whole of each day', () => {
    const rows = compareBills(
      [{ day: own.day, name: undefined, nanoUsd: 10e9 }],
      [own, { ...own, name: 'n' }, { ...own, day: '2026-11-02' }],
      () => false,
    )
    expect(rows).toMatchObject([
      { name: 'all', billedNanoUsd: 10e9, bookedNanoUsd: 10e9, differenceNanoUsd: 0, reasons: [] },
      { day: '2026-11-02', billedNanoUsd: undefined, reasons: ['not_in_bill'] },
    ])
  })
})

describe('gateway reconcile', () => {
  test('holds a file against the ledger, by the provider’s own names of models', async () => {
    const { directory, today } = await setUp('')
    const file = join(directory, 'invoice.csv')
    await writeFile(
      file,
      `day,model,cost\n${today},vendor/m,0.000002\n${today},gone,1\n2020-01-01,vendor/m,9\n`,
    )
    const { code, printed } = await run('reconcile', file, '--since', '2d', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(printed).data).toEqual([
      {
        ...{ day: today, name: 'gone', billed_nano_usd: 1e9, booked_nano_usd: null, uncertain_nano_usd: 0 },
        ...{ difference_nano_usd: 1e9, reasons: ['not_in_ledger'] },
      },
      {
        ...{
          day: today,
          name: 'vendor/m',
          billed_nano_usd: 2000,
          booked_nano_usd: 2000,
          uncertain_nano_usd: 0,
        },
        ...{ difference_nano_usd: 0, reasons: [] },
      },
    ])
    const table = await run('reconcile', file, '--since', '2d')
    expect(table.printed).toContain('not in ledger')
    expect(table.printed).toContain('Billed 1.0000, booked 0.0000 USD.')
  })

  test('asks RunPod, and says why where that cannot be', async () => {
    await using runpod = await simulateRunpod({ host: '127.0.0.1', port: 0, key: 'rp-key' })
    const { today } = await setUp(
      `  gpus: { type: runpod, endpointId: ep1, apiKey: rp-key, catalogUrl: '${runpod.origin}/v2' }\n`,
    )
    const { code, printed } = await run('reconcile', 'runpod', '--json')
    expect(code, printed).toBe(0)
    expect(JSON.parse(printed).data).toMatchObject([{ day: today, name: 'ep1', billed_nano_usd: 0 }])
    await setUp(
      `  gpus: { type: runpod, endpointId: ep1, apiKey: wrong, catalogUrl: '${runpod.origin}/v2' }\n`,
    )
    expect(await run('reconcile', 'runpod')).toEqual({
      ...{ code: 1, printed: 'RunPod refused the request for the bill of providers.gpus: status 401.\n' },
    })
    await setUp('')
    expect((await run('reconcile', 'runpod')).printed).toContain('has no provider of the type runpod')
  })
})

/** A data directory with two calls of today, and a configuration that knows their model by another name. */
async function setUp(provider: string) {
  const directory = await temporaryDirectory('reconcile-')
  const config = join(directory, 'gateway.yaml')
  await writeFile(
    config,
    `dataDirectory: ${directory}\nproviders:\n  up: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1' }\n${provider}models:\n  m: { deployments: [{ provider: up, model: vendor/m }] }\n`,
  )
  vi.stubEnv('GATEWAY_CONFIG', config)
  vi.stubEnv('PORT', '1')
  await using store = openSqliteStore(join(directory, 'ledger.db'))
  await store.migrate()
  const at = Math.floor(Date.now() / dayMs) * dayMs
  const lines = ['req_1', 'req_2'].map((id) => {
    const { line } = callEntry(id, { at, model: 'm', provider: 'up' })
    return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: { segment: 1, offset: 1 } }
  })
  await store.write('n', batchOf(lines, { segment: 1, offset: 1 }))
  return { directory, config, today: new Date(at).toISOString().slice(0, 10) }
}
