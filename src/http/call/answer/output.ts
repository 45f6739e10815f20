import type { CallSignal } from '../../../core/model/call-signal.ts'
import type { Failure } from '../../../core/model/failure.ts'

/** The destination of an answer: its caller, or the buffer that repeated requests read from. */
export interface Output {
  /** Aborts, with a Failure, when nobody wants the answer any more. */
  readonly signal: CallSignal
  /** Writes a whole answer. */
  send(text: string): void | Promise<void>
  /** Starts an answer in pieces. `idle` gives an empty piece for long silences. */
  open(idle: () => string | undefined): StreamOutput
}

export interface StreamOutput extends Disposable {
  /** From now on failures are reported within the answer. */
  readonly hasBegun: boolean
  begin(): void
  /** False: await `drained` before writing more. */
  write(text: string): boolean
  drained(): Promise<void>
  /** Writes the last piece of a complete answer. */
  end(text: string): void | Promise<void>
  /** It broke: writes the source's text for the failure. */
  fail(thrown: unknown, source: Pick<StreamSource<unknown, unknown>, 'fail'>): void | Promise<void>
}

/** An answer in pieces, made by the gateway or read from such a buffer. `Total` is known at its end. */
export interface StreamSource<Piece, Total> {
  idle(): string | undefined
  /** Rejects with a Failure, as long as there is nothing to show. */
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

/** Writes an answer in pieces as they come. This is the only loop over streams: it pulls every layer below. */
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
    // The status was sent: the failure is reported in the stream, without a terminator.
    await stream.fail(thrown, source)
  }
}
