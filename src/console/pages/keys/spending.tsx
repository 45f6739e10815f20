import { useAnswer } from '../../app/answer.ts'
import { Chart } from '../../parts/chart.tsx'
import { Panel } from '../../parts/panel.tsx'
import { countOf, usdOf } from '../../text/amounts.ts'
import { dayOf } from '../../text/times.ts'

/** What a key or a team spent in the last thirty days; `of` is `key=…` or `team=…`. */
export function Spending({ of }: { of: string }) {
  const usage = useAnswer<{ data: readonly Day[] }>(`/admin/api/usage?by=day&from=30d&${of}`)
  const { data } = usage.data ?? {}
  if (data === undefined || data.length === 0) return null
  const byDay = new Map(data.map((row) => [Date.parse(row.day), row]))
  const today = Math.floor(Date.now() / dayMs) * dayMs
  const times = Array.from({ length: 30 }, (_, at) => today - (29 - at) * dayMs)
  const values = (of: (row: Day) => number) => times.map((time) => of(byDay.get(time) ?? none))
  return (
    <Panel title="The last 30 days">
      <Chart
        title="Cost a day"
        times={times}
        timeText={dayOf}
        series={[{ name: 'Cost', tone: 'main', kind: 'bars', values: values(({ cost }) => cost) }]}
        format={usdOf}
      />
      <Chart
        title="Calls a day"
        times={times}
        timeText={dayOf}
        series={[{ name: 'Calls', tone: 'second', kind: 'bars', values: values(({ requests }) => requests) }]}
        format={countOf}
      />
    </Panel>
  )
}

type Day = { readonly day: string; readonly cost: number; readonly requests: number }

const none: Day = { day: '', cost: 0, requests: 0 }
const dayMs = 86_400_000
