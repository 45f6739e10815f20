import type { CallSignal } from '../../../core/model/call-signal.ts'
import type { Failure } from '../../../core/model/failure.ts'

/** The destination of an answer: its caller, or the buffer that repeated requests read from. */
export interface Output {
  /** Aborts with a Failure when the answer is no longer wanted. */
  readonly signal: CallSignal
  /** Writes a whole answer. */
  send(text: string): void | Promise<void>
  /** Starts an answer in pieces. `idle` returns an empty piece for long silences. */
  open(idle: () => string | undefined): StreamOutput
}

export interface StreamOutput extends Disposable {
  /** True after the answer has begun. Failures are then reported within the answer. */
  readonly hasBegun: boolean
  begin(): void
  /** False: await `drained` before writing more. */
  write(text: string): boolean
  drained(): Promise<void>
  /** Writes the last piece of a complete answer. */
  end(text: string): void | Promise<void>
  /** Ends a failed answer with the source's text for the failure. */
  fail(thrown: unknown, source: Pick<StreamSource<unknown, unknown>, 'fail'>): void | Promise<void>
}

/** An answer in pieces, made by the gateway or read from such a buffer. `Total` is known at its end. */
export interface StreamSource<Piece, Total> {
  idle(): string | undefined
  /** Rejects with a Failure if there is nothing to send. */
  open(): Promise<OpenedSource<Piece, Total>>
  textOf(piece: Piece): string
  end(total: Total): string | Promise<string>
  fail(failure: Failure): string
}

export type OpenedSource<Piece, Total> = {
  readonly bursts: Iterable<Piece> | AsyncIterable<Piece>
  /** Call it once, after `bursts` ended. */
  usage(): Total | Promise<Total>
}

/** Writes an answer piece by piece. This is the only loop over streams: it pulls every layer below. */
export async function pour<Piece, Total>(source: StreamSource<Piece, Total>, output: Output): Promise<void> {
  using stream = output.open(() => source.idle())
  try {
    const opened = await source.open()
    stream.begin()
    for await (const piece of opened.bursts) {
      const text = source.textOf(piece)
      if (text !== '' && !stream.write(text)) await stream.drained()
    }
    const last = source.end(await opened.usage())
    await stream.end(last instanceof Promise ? await last : last)
  } catch (thrown) {
    if (!stream.hasBegun) throw thrown
    // The status was already sent, so the failure is reported in the stream, without a terminator.
    await stream.fail(thrown, source)
  }
}
