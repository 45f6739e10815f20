import { CallNeeds, callCurl, Empty } from './empty.tsx'
import { Panel } from './panel.tsx'

/** Why there is nothing to show of calls: none is kept. */
export function NoLedger() {
  return (
    <Panel title="This gateway keeps no ledger">
      <Empty command={callCurl()}>
        Calls, what they cost, and how long they took are kept in a data directory: set <code>DATA_DIR</code>,
        and <code>ledger.enabled</code> in gateway.yaml. Calls are answered without it too. <CallNeeds />
      </Empty>
    </Panel>
  )
}
