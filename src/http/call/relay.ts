import type { Middleware } from 'koa'
import type { Relay } from '../../core/model/call.ts'
import type { RelayDialect } from '../../dialects/shared/dialect.ts'
import { relayOnce } from './idempotency.ts'
import { answerHeaders } from './response-headers.ts'
import { sendText } from './send.ts'
import { answerFailure, type Exchange, letIn, openExchange, readCall, type ServeParts } from './serve.ts'
import { watchRest } from './write-stall.ts'

/** As `serveDialect`, for requests that are passed on as they are. */
export function serveRelay(dialect: RelayDialect, parts: ServeParts): Middleware {
  return async function serveRelayed(ctx) {
    ctx.respond = false
    const id = ctx.state['requestId'] as string
    using record = parts.recorder.open(id, dialect.name)
    const signal = parts.openCalls.open(ctx.res)
    const exchange = openExchange(parts, { ctx, dialect, record, signal })
    try {
      const caller = letIn(exchange)
      using admission = parts.shedding.admit(caller.id)
      const { call, text } = await readCall(exchange, caller, admission, id)
      record.row.parseMs = record.elapsedMs()
      const once = relayOnce(exchange, call, text)
      if (once === undefined) await answer(exchange, call)
      else await answer({ ...exchange, ...once }, call).finally(() => once.work)
    } catch (thrown) {
      await answerFailure(exchange, thrown)
    }
  }
}

async function answer(exchange: Exchange<RelayDialect>, call: Relay): Promise<void> {
  const { ctx, dialect, gateway, record, signal, parts } = exchange
  const text = dialect.render(await gateway.relay(call, signal, record))
  record.row.status = 200
  record.row.responseBytes = Buffer.byteLength(text)
  const headers = answerHeaders(record)
  await record.closeThen(() => {
    sendText(ctx.req, ctx.res, 200, text, headers)
    watchRest(ctx.res, parts.limits.writeStallMs)
  })
}
