import type { OpenRecord } from '../../../src/core/account/open-record.ts'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { createGateway, type Gateway } from '../../../src/core/gateway.ts'
import type { GatewayLimits } from '../../../src/core/gateway-parts.ts'
import type { Call } from '../../../src/core/model/call.ts'
import type { Deployment, TokenCounter } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import type { CallRecord } from '../../../src/core/model/record/record.ts'
import { planning } from '../routing.ts'
import { aDeployment, type ScriptedUpstream, timersClock } from '../scripted-upstream.ts'
import { tools } from '../tools.ts'
import { aCaller, type Caller } from './attempt-walk.ts'

/** A gateway over some upstreams, tried in that order, and a caller of it. */
export type Serving = {
  readonly gateway: Gateway
  readonly caller: Caller
  readonly record: OpenRecord
  readonly row: CallRecord
  /** The texts that were counted. */
  readonly counted: readonly string[]
  reply(call: Call): ReturnType<Gateway['reply']>
  stream(call: Call): ReturnType<Gateway['stream']>
}

export function serve(
  upstreams: readonly ScriptedUpstream[],
  limits: Partial<GatewayLimits> = {},
  prices: Readonly<Record<string, Price>> = {},
): Serving {
  const deployments = upstreams.map(
    (upstream): Deployment =>
      aDeployment(upstream, { id: `m@${upstream.name}`, price: prices[upstream.name] ?? unknownPrice }),
  )
  const counted: string[] = []
  const counter: TokenCounter = {
    count: async (text) => {
      counted.push(text)
      return text.length
    },
  }
  const gateway = createGateway({
    ...planning([{ pattern: 'some-*', strategy: 'fallback', deployments }]),
    counter,
    detokenizer: tools.detokenizer,
    clock: timersClock,
    random: () => 0.5,
    limits: { deadlineMs: 600_000, fanOut: 4, choices: 16, continueStreams: true, ...limits },
  })
  const caller = aCaller()
  const record = createRecorder([], timersClock, 1500).open('req_1', 'completions')
  return {
    gateway,
    caller,
    record,
    row: record.row,
    counted,
    reply: (call) => gateway.reply(call, caller.signal, record),
    stream: (call) => gateway.stream(call, caller.signal, record),
  }
}
