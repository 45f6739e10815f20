import type { CallSignal } from '../../../core/model/call-signal.ts'
import type { Failure } from '../../../core/model/failure.ts'

/** Where an answer goes: to its caller, or on the shelf that all who send its request again read it from. */
export interface Output {
  /** Aborts, with a Failure, when nobody wants the answer any more. */
  readonly signal: CallSignal
  /** Writes a whole answer. */
  send(text: string): void | Promise<void>
  /** Begins one that comes in pieces. `idle` gives a piece that says nothing, for a long silence. */
  open(idle: () => string | undefined): StreamOutput
}

export interface StreamOutput extends Disposable {
  /** From now on a failure is told within the answer. */
  readonly hasBegun: boolean
  begin(): void
  /** False: `drained` is to be awaited before there is more. */
  write(text: string): boolean
  drained(): Promise<void>
  /** The last of it, and it is whole. */
  end(text: string): void | Promise<void>
  /** It broke: the last of it is the source's text for that. */
  fail(thrown: unknown, source: Pick<StreamSource<unknown, unknown>, 'fail'>): void | Promise<void>
}

/** An answer in pieces: made by the gateway, or kept on a shelf. `Total` is what is known at its end. */
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
  /** To be called once, after `bursts` ended. */
  usage(): Total | Promise<Total>
}

/** Writes an answer in pieces as they come. The one loop of all streams: every layer below it is pulled by it. */
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
    // The status is out already: what went wrong is told in the stream, and no terminator follows.
    await stream.fail(thrown, source)
  }
}
