import { healthEventTypes } from '../../src/core/health/health-watch.ts'
import { attemptFields } from '../../src/core/model/record/fields/attempt-fields.ts'
import { callFields } from '../../src/core/model/record/fields/call-fields.ts'
import type { Field, Fields } from '../../src/core/model/record/fields/field.ts'
import type { DescribedMetric } from '../../src/telemetry/metrics/metrics.ts'
import {
  attemptAttributes,
  callAttributes,
  type SpanAttribute,
} from '../../src/telemetry/traces/span-names.ts'

/** docs/observability.md, from the tables that the log and the metrics are made from. */
export function observabilityPage(metrics: readonly DescribedMetric[]): string {
  return `# What the gateway tells about itself

Made by \`npm run docs\` from the tables in the code; a test holds that it is current. What to do about it:
[runbook.md](runbook.md).

## Metrics

\`GET /metrics\`, for Prometheus. Where keys are configured it takes a management key of the role \`metrics\`. Labels come from
the configuration and from closed lists, never from a request. The metrics of Node.js itself stand beside these.

| Metric | Type | Unit | Labels | What it is for |
|---|---|---|---|---|
${metrics.map(metricRow).join('\n')}

## The line of a call

Each call is one line of the log, \`"msg":"call"\`, and one row of the ledger; \`GET /v1/generation?id=\` gives it by the call's
\`x-request-id\`, under the names in the third column. What a call does not have is left out of its line.

${fieldTable(callFields)}

## Each attempt

The members of \`attempts\`, in the order in which the attempts began.

${fieldTable(attemptFields)}

## Spans

What traces say ([tracing.md](tracing.md)), by the generation of OpenTelemetry's names for generative AI: \`v1.36\`, or the
latest.

The call, a span of kind \`SERVER\`:

${callAttributes.map(({ names }) => `\`${names.latest}\``).join(', ')}

Each of its attempts, a span of kind \`CLIENT\`:

${spanTable(attemptAttributes)}

## Events

One warning each time, with \`event\`, \`deployment\`, \`provider\`, and what is known of the cause: \`kind\`, \`upstreamStatus\`,
\`operatorNote\`, \`causeCode\`, \`url\`. \`pandotate_deployment_events_total\` counts them.

| \`event\` | Meaning |
|---|---|
${healthEventTypes.map((type) => `| \`${type}\` | ${meanings[type]} |`).join('\n')}
`
}

const meanings: Readonly<Record<(typeof healthEventTypes)[number], string>> = {
  breaker_opened:
    'A deployment, or one model there, gets no calls until a trial succeeds. `failures` in a row, `openMs` until the first trial.',
  breaker_closed: 'It gets calls again.',
  key_refused: 'The provider refuses our key.',
  no_credit: 'Our account at the provider has no credit.',
  key_accepted: 'The provider accepts our key again.',
  path_missing:
    'Nothing is at the address that is configured for the provider: `url` is where it was asked, `operatorNote` the setting.',
  path_found: 'Calls are answered at that address again.',
  limit_met: "The provider's rate limit was met five times within a minute.",
  limit_over: "The provider's rate limit was not met for a minute.",
}

function spanTable(attributes: readonly Pick<SpanAttribute<never>, 'names'>[]): string {
  const nameIn = (name: string | undefined) => (name === undefined ? '' : `\`${name}\``)
  const rows = attributes.map(({ names }) => `| ${nameIn(names['v1.36'])} | ${nameIn(names.latest)} |`)
  return ['| v1.36 | Latest |', '|---|---|', ...rows].join('\n')
}

function metricRow({ name, type, labels, help }: DescribedMetric): string {
  const shown = labels.map((label) => `\`${label}\``).join(', ') || 'none'
  return `| \`${name}\` | ${type} | ${unitOf(name)} | ${shown} | ${cell(help)} |`
}

function unitOf(name: string): string {
  const bare = name.replace(/_total$/, '')
  if (/_seconds$/.test(bare)) return 'seconds'
  if (/_usd$/.test(bare)) return 'USD'
  if (/bytes/.test(bare)) return 'bytes'
  return /_total$/.test(name) ? 'count' : '1'
}

function fieldTable(fields: Fields): string {
  return [
    '| Member | Unit | In `/v1/generation` | What it is for |',
    '|---|---|---|---|',
    ...rowsOf(fields, ''),
  ].join('\n')
}

function rowsOf(fields: Fields, within: string): readonly string[] {
  return Object.entries(fields).flatMap(([name, field]: [string, Field<never, unknown>]) => {
    const { about, unit, api, inner } = field
    const row = `| \`${within}${name}\` | ${unit ?? ''} | ${api === undefined ? '' : `\`${api.name}\``} | ${cell(about)} |`
    return inner === undefined || inner === attemptFields
      ? [row]
      : [row, ...rowsOf(inner, `${within}${name}.`)]
  })
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
