import { dayMs } from '../../src/ledger/store/rollup.ts'
import { endMs, rareKey } from './made-call.ts'

/** What each page of the console asks, all at once, as its code has it. */
export const pages: readonly (readonly [string, readonly string[]])[] = [
  ['overview, 24 hours', overview(1)],
  ['overview, 7 days', overview(7)],
  ['overview, 30 days', overview(30)],
  ['overview, 90 days', overview(90)],
  ['overview, 90 days, by key', overview(90, '', 'key')],
  ['overview, 90 days, of a model', overview(90, '&model=vendor-3%2Fmodel-3')],
  ['overview, 90 days, of a key', overview(90, '&key=key_7')],
  ['overview, 90 days, of two names', overview(90, '&key=key_3&provider=north')],
  ['calls, 1 hour', calls(1 / 24)],
  ['calls, 24 hours', calls(1)],
  ['calls, 90 days', calls(90)],
  ['calls, 90 days, failed', calls(90, '&status=failed')],
  ['calls, 90 days, of a key', calls(90, '&key=key_7')],
  ['calls, 90 days, of a rare key', calls(90, `&key=${rareKey}`)],
  ['calls, 90 days, of a deployment', calls(90, '&deployment=vendor-3%2Fmodel-3%40north')],
  ['calls, 90 days, dear ones', calls(90, '&min_cost=1')],
  ['calls, 90 days, slow failures', calls(90, '&status=502&min_ms=29000')],
  ['calls, 90 days, of a tag', calls(90, '&tags=stage-1%2Cunit-2')],
  ['one call', ['/calls/req_none']],
  ['keys and budgets', ['/keys?limit=500&include_disabled=true', '/teams', '/budgets', '/settings']],
  ['one key', ['/settings', `/usage?${span(30)}&by=day&key=key_7`]],
  [
    'one team',
    ['/keys?limit=500&include_disabled=true', '/settings', `/usage?${span(30)}&by=day&team=team-1`],
  ],
  ['models and deployments', [`/usage?${span(1)}&by=deployment`, '/deployments', '/routes']],
  ['route explain', ['/keys?limit=500&include_disabled=false']],
  ['playground', ['/routes']],
  ['settings', ['/settings']],
]

function overview(days: number, narrowed = '', by = 'model'): readonly string[] {
  return [
    'percentiles=true&compare=true',
    `by=${days <= 3 ? 'hour' : 'day'}&percentiles=true&limit=2500`,
    `by=${by}&percentiles=true&compare=true&limit=50`,
    'by=failure&limit=50',
  ].map((asked) => `/usage?${span(days)}${narrowed}&${asked}`)
}

function calls(days: number, filter = ''): readonly string[] {
  return [`/calls?limit=50&${span(days)}${filter}`, `/calls/counts?${span(days)}${filter}`]
}

/** Not round: it ends within an hour, as one that ends now does. */
function span(days: number): string {
  return `from=${endMs - 1000 - days * dayMs}&to=${endMs - 1000}`
}
