import type { Stream } from '../../../core/gateway.ts'
import type { AnyCall, Call, Delta, Relay } from '../../../core/model/call.ts'
import type { CallSignal } from '../../../core/model/call-signal.ts'
import type { Failure } from '../../../core/model/failure.ts'
import type { Usage } from '../../../core/model/terms.ts'
import type {
  AnswerInfo,
  Dialect,
  RelayDialect,
  StreamEncoder,
  WireFormat,
} from '../../../dialects/shared/dialect.ts'
import type { Exchange } from './exchange.ts'
import { type Output, pour, type StreamSource } from './output.ts'

/** Requests the answer of a call from the gateway, and writes it to an output. */
export interface Answerer<Spoken extends WireFormat<AnyCall>, Asked extends AnyCall> {
  answer(exchange: Exchange<Spoken>, call: Asked, output: Output): Promise<void>
  /** Returns the text that reports the failure of a stream. */
  failText(exchange: Exchange<Spoken>, call: Asked, failure: Failure): string
}

export const callAnswerer: Answerer<Dialect, Call> = {
  answer(exchange, call, output) {
    if (call.stream) return pour(new MadeStream(exchange, call, output.signal), output)
    const { dialect, record, parts } = exchange
    return parts.gateway.reply(call, output.signal, record).then((reply) => {
      const text = dialect.render(reply, call, answerInfoOf(exchange))
      const keeping = dialect.kept?.(call)
      return keeping === undefined ? output.send(text) : keeping.then(() => output.send(text))
    })
  },
  failText: (exchange, call, failure) =>
    exchange.dialect.encoder(call, () => answerInfoOf(exchange)).fail(failure),
}

/** For embeddings and rerank, which are never streams. */
export const relayAnswerer: Answerer<RelayDialect, Relay> = {
  answer({ dialect, record, parts }, call, output) {
    return parts.gateway
      .relay(call, output.signal, record)
      .then((reply) => output.send(dialect.render(reply)))
  },
  failText: () => '',
}

class MadeStream implements StreamSource<readonly Delta[], Usage> {
  readonly #exchange: Exchange<Dialect>
  readonly #call: Call
  readonly #signal: CallSignal
  readonly #encoder: StreamEncoder

  constructor(exchange: Exchange<Dialect>, call: Call, signal: CallSignal) {
    this.#exchange = exchange
    this.#call = call
    this.#signal = signal
    this.#encoder = exchange.dialect.encoder(call, () => answerInfoOf(exchange))
  }

  idle(): string | undefined {
    return this.#encoder.idle?.(this.#exchange.record.row.startedEpochMs)
  }

  open(): Promise<Stream> {
    const { parts, record } = this.#exchange
    return parts.gateway.stream(this.#call, this.#signal, record)
  }

  textOf(burst: readonly Delta[]): string {
    return this.#encoder.encode(burst)
  }

  end(usage: Usage): string | Promise<string> {
    const text = this.#encoder.end(usage)
    const keeping = this.#exchange.dialect.kept?.(this.#call)
    return keeping === undefined ? text : keeping.then(() => text)
  }

  fail(failure: Failure): string {
    return this.#encoder.fail(failure)
  }
}

function answerInfoOf({ record, parts }: Exchange<Dialect>): AnswerInfo {
  return { slow: record.elapsedMs() > parts.slowThresholdMs }
}
