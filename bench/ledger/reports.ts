import { dayMs, dimensions, hourMs } from '../../src/ledger/store/rollup.ts'
import { endMs, lineOf, randomFrom, rareKey, rareProvider, rarestKey } from './made-call.ts'

const reportGoalMs = 300
const pageGoalMs = 100

/** One request of the admin API, and within which time it should be answered. */
export type Report = { readonly name: string; readonly path: string; readonly goalMs: number }

/** Every kind of report and of pages of calls that the admin API and the console ask. */
export function everyReport(count: number): readonly Report[] {
  const { requestId } = JSON.parse(lineOf(0, count, randomFrom(1)).text) as { readonly requestId: string }
  return [
    ...usageReports(),
    ...callPages(),
    ...countReports(),
    { name: 'one call', path: `/calls/${requestId}`, goalMs: pageGoalMs },
    { name: '100 calls, an id that is there', path: `/calls?id=${requestId}`, goalMs: pageGoalMs },
    { name: 'one call that is not there', path: '/calls/req_none', goalMs: pageGoalMs },
  ]
}

/** The spans of the console's picker and the longest one. */
function usageReports(): readonly Report[] {
  const usage = (name: string, spanMs: number, asked: string): Report => ({
    ...{ name: `usage, ${name}`, path: `/usage?${span(spanMs)}&${asked}`, goalMs: reportGoalMs },
  })
  const key = 'key=key_7'
  const model = `model=${encodeURIComponent('vendor-3/model-3')}`
  const overview = 'percentiles=true&compare=true&limit=50'
  return [
    usage('1 hour', hourMs, 'percentiles=true&compare=true'),
    usage('24 hours by hour, percentiles', dayMs, 'by=hour&percentiles=true'),
    usage('7 days by hour, percentiles', 7 * dayMs, 'by=hour&percentiles=true'),
    usage('30 days, percentiles, compared', 30 * dayMs, overview),
    usage('89 days 5 hours, percentiles', 89 * dayMs + 5 * hourMs, 'percentiles=true'),
    usage('90 days', 90 * dayMs, ''),
    usage('90 days by day, percentiles', 90 * dayMs, 'by=day&percentiles=true'),
    usage('90 days by hour', 90 * dayMs, 'by=hour&limit=2500'),
    usage('90 days by hour, percentiles', 90 * dayMs, 'by=hour&percentiles=true&limit=2500'),
    usage('45 days, percentiles, compared', 45 * dayMs, overview),
    ...dimensions.map((by) =>
      usage(`45 days by ${by}, percentiles, compared`, 45 * dayMs, `by=${by}&${overview}`),
    ),
    ...dimensions.map((by) =>
      usage(`90 days by ${by}, percentiles`, 90 * dayMs, `by=${by}&percentiles=true`),
    ),
    usage('90 days by key and model', 90 * dayMs, 'by=key,model'),
    usage('90 days by key and model, percentiles', 90 * dayMs, 'by=key,model&percentiles=true'),
    usage('90 days by day and model', 90 * dayMs, 'by=day,model&limit=10000'),
    usage('90 days by day and key, percentiles', 90 * dayMs, 'by=day,key&percentiles=true&limit=10000'),
    usage('90 days by every name', 90 * dayMs, `by=${dimensions.join(',')}`),
    usage('90 days by every name, CSV', 90 * dayMs, `by=${dimensions.join(',')}&format=csv&percentiles=true`),
    usage('90 days by day, CSV', 90 * dayMs, 'by=day&format=csv&percentiles=true'),
    usage('90 days of a key, percentiles', 90 * dayMs, `${key}&percentiles=true`),
    usage('90 days of a key by day, percentiles', 90 * dayMs, `${key}&by=day&percentiles=true`),
    usage('90 days of a key by model, percentiles', 90 * dayMs, `${key}&by=model&percentiles=true`),
    usage('90 days of a model by key, percentiles', 90 * dayMs, `${model}&by=key&percentiles=true`),
    usage('90 days of a model by day, percentiles', 90 * dayMs, `${model}&by=day&percentiles=true`),
    usage('90 days of a team by failure', 90 * dayMs, 'team=team-3&by=failure'),
    usage('90 days of a model and a key by day', 90 * dayMs, `${model}&key=key_3&by=day&percentiles=true`),
    usage('90 days of no key', 90 * dayMs, 'key=none&by=day&percentiles=true'),
  ]
}

/** Of the console's filters, those that match many calls, few and none. */
const filters: readonly (readonly [string, string])[] = [
  ['all', ''],
  ['a key', 'key=key_7'],
  ['a rare key', `key=${rareKey}`],
  ['the rarest key', `key=${rarestKey}`],
  ['no key', 'key=none'],
  ['a team', 'team=team-3'],
  ['a model', `model=${encodeURIComponent('vendor-3/model-3')}`],
  ['no model', 'model=none'],
  ['failed', 'status=failed'],
  ['status 200', 'status=200'],
  ['status 503', 'status=503'],
  ['status 418, none', 'status=418'],
  ['status 299, none', 'status=299'],
  ['a failure', 'failure=timeout'],
  ['callers that left', 'failure=left'],
  ['no failure of this name', 'failure=none'],
  ['a provider', 'provider=north'],
  ['a rare provider', `provider=${rareProvider}`],
  ['no provider', 'provider=none'],
  ['a deployment', `deployment=${encodeURIComponent('vendor-3/model-3@north')}`],
  ['no deployment', 'deployment=none'],
  ['dear ones, none', 'min_cost=1'],
  ['dear ones', 'min_cost=0.00199'],
  ['cheap ones', 'max_cost=0.0000001'],
  ['slow ones', 'min_ms=29000'],
  ['quick ones', 'max_ms=85'],
  ['an id that is not there', 'id=req_none'],
  ['failed of a rare key', `status=failed&key=${rareKey}`],
  ['status 503 of the rarest key', `status=503&key=${rarestKey}`],
  ['a key and a model', `key=key_3&model=${encodeURIComponent('vendor-1/model-21')}`],
  ['a key and a model it never asks', `key=key_0&model=${encodeURIComponent('vendor-0/model-20')}`],
  ['a team and a model', `team=team-3&model=${encodeURIComponent('vendor-1/model-21')}`],
  ['a key and a team it is not in', 'key=key_0&team=team-3'],
  ['no deployment, of a key', 'deployment=none&key=key_0'],
  ['slow failures', 'status=502&min_ms=29000'],
]

function callPages(): readonly Report[] {
  const middle = `before=${endMs - 45 * dayMs}_req_8`
  return filters.flatMap(([name, filter]) => [
    { name: `100 calls, ${name}`, path: `/calls?limit=100&${filter}`, goalMs: pageGoalMs },
    {
      name: `100 calls, ${name}, from the middle`,
      path: `/calls?limit=100&${filter}&${middle}`,
      goalMs: pageGoalMs,
    },
  ])
}

function countReports(): readonly Report[] {
  const spans = [
    ['1 hour', hourMs],
    ['24 hours', dayMs],
    ['90 days', 90 * dayMs],
  ] as const
  return filters.flatMap(([name, filter]) =>
    spans.map(([length, spanMs]) => ({
      ...{
        name: `counts, ${length}, ${name}`,
        path: `/calls/counts?${span(spanMs)}&${filter}`,
        goalMs: reportGoalMs,
      },
    })),
  )
}

/** Not round: it ends within an hour, as one that ends now does. */
function span(spanMs: number): string {
  return `from=${endMs - 1000 - spanMs}&to=${endMs - 1000}`
}
