import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { type GatewayProcess, startGateway } from '../acceptance/gateway-process.ts'
import { missingTool, runTool } from './tools.ts'

const alerts: { readonly groups: readonly { readonly rules: readonly Rule[] }[] } = parse(
  readFileSync('deploy/prometheus/alerts.yml', 'utf8'),
)
const rules = alerts.groups.flatMap((group) => group.rules)
const dashboard: Dashboard = JSON.parse(readFileSync('deploy/grafana/dashboards/gateway.json', 'utf8'))
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))

describe('what is watched', () => {
  let exposed = ''
  let gateway: GatewayProcess
  beforeAll(async () => {
    // Nobody is there: the metrics say so.
    gateway = await startGateway({ environment: { REDIS_URL: 'redis://127.0.0.1:9' } })
    exposed = await (await fetch(`${gateway.url}/metrics`)).text()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  /** Every metric that the gateway has, as Prometheus names its series. */
  const known = () => {
    const types = [...exposed.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    return new Set(
      types.flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    )
  }

  test.for(rules.map(({ alert, expr }) => ({ title: alert, expr })))(
    'is there: the alert $title',
    ({ expr }) => {
      expect(metricsIn(expr).filter((name) => !known().has(name) && name !== 'up')).toEqual([])
    },
  )

  test.for(queries)('is there: the panel $title', ({ expr }) => {
    expect(metricsIn(expr)).not.toEqual([])
    expect(metricsIn(expr).filter((name) => !known().has(name))).toEqual([])
  })

  test('shows every metric of the gateway’s own, or says why not', () => {
    const shown = new Set(
      [...queries.map(({ expr }) => expr), ...rules.map(({ expr }) => expr)].flatMap(metricsIn),
    )
    const own = [...known()].filter((name) => name.startsWith('pandotate_') && !/_(sum|count)$/.test(name))
    expect(own.filter((name) => !shown.has(name)).filter((name) => !(name in notShown))).toEqual([])
  })
})

const notShown: Readonly<Record<string, string>> = {
  pandotate_slow_calls_total: 'the quantiles say more',
  pandotate_in_flight_request_bytes: 'calls turned away for it are shown',
  pandotate_provider_listed_models: 'of use to look something up, not to watch',
  pandotate_config_reloads_total: 'marks on the graphs',
  pandotate_config_reload_failures_total: 'the alert looks at the last one',
  pandotate_config_loaded_timestamp_seconds: 'marks on the graphs',
  pandotate_spans_exported_total: 'what is lost alerts',
  pandotate_ledger_shipped_calls_total: 'what lags behind is shown',
}

describe('the dashboard', () => {
  test('has rows for what an operator asks first', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    expect(rows).toEqual([
      'Now',
      'Traffic and errors',
      'Latency',
      'Money',
      'Deployments',
      'Ledger',
      'Nodes',
      'Process',
    ])
  })

  test('asks whichever Prometheus is chosen, and has no id twice', () => {
    for (const { datasource } of panels) expect(datasource?.uid).toBe(`\${datasource}`)
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('is provisioned where compose mounts it', () => {
    const { providers } = parse(readFileSync('deploy/grafana/provisioning/dashboards/gateway.yaml', 'utf8'))
    const { services } = parse(readFileSync('compose.yaml', 'utf8'))
    expect(services.grafana.volumes).toContain(`./deploy/grafana/dashboards:${providers[0].options.path}:ro`)
  })
})

describe.skipIf(missingTool('promtool'))('promtool (skipped where there is none)', () => {
  test.for([
    ['the rules', ['check', 'rules', 'deploy/prometheus/alerts.yml']],
    ['what the rules do', ['test', 'rules', 'deploy/prometheus/alerts.test.yml']],
    ['the scraping', ['check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.yml']],
  ] as const)('takes %s', async ([, words]) => {
    const { code, stdout, stderr } = await runTool('promtool', words)
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  })

  test('takes every query of the dashboard', async () => {
    const rules = queries.map(({ expr }, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replace(/\$(\w+)/g, '.*'),
    }))
    const text = stringify({ groups: [{ name: 'panels', rules }] })
    const directory = mkdtempSync(join(tmpdir(), 'gateway-panels-'))
    writeFileSync(join(directory, 'panels.yml'), text)
    const words = ['check', 'rules', join(directory, 'panels.yml')]
    const { code, stdout, stderr } = await runTool('promtool', words)
    rmSync(directory, { recursive: true })
    expect(code, `${stdout}${stderr}`).toBe(0)
    expect(stdout).toContain(`${rules.length} rules found`)
  })
})

type Rule = { readonly alert: string; readonly expr: string }

type Dashboard = {
  readonly panels: readonly {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly datasource?: { readonly uid: string }
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

/** The names of metrics in a query: what stands before a selector, and is no function and no label. */
function metricsIn(expr: string): readonly string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
  return [...new Set([...bare.matchAll(/\b(up|(?:pandotate|process|nodejs)_\w+)\b/g)].map(([name]) => name))]
}
