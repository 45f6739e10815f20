import { callCurl, Empty } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'

/** Spend, savings, requests, errors and speed of a span of time. */
export function Overview() {
  return (
    <>
      <Head title="Overview" />
      <Panel title="Make a call">
        <Empty command={callCurl()}>One OpenAI-compatible URL in front of every open-weight model.</Empty>
      </Panel>
    </>
  )
}
