import { type CallSignal, controllerUnder } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'

export type HedgeParts<Made> = {
  /** How long the first runs before the second starts, in milliseconds. */
  readonly afterMs: number
  /** The caller's signal; the winner keeps listening to it. */
  readonly signal: CallSignal
  readonly first: (signal: AbortSignal) => Promise<Made>
  /** Undefined: there is no second deployment. */
  readonly second: (signal: AbortSignal) => Promise<Made> | undefined
  /** Called with a result that arrived after the race was won. */
  readonly discard: (made: Made) => void
}

/**
 * The first result of two attempts; the other attempt is abandoned. The second starts only when the first takes too
 * long, and never after the first has failed. Rejects with the first error when both fail.
 */
export function hedge<Made>({ afterMs, signal, first, second, discard }: HedgeParts<Made>): Promise<Made> {
  const { promise, resolve, reject } = Promise.withResolvers<Made>()
  const runners = new Set<AbortController>()
  const failures: unknown[] = []
  let isWon = false
  const win = (made: Made, winner: AbortController) => {
    isWon = true
    clearTimeout(timer)
    for (const runner of runners) if (runner !== winner) runner.abort(tooLate())
    resolve(made)
  }
  const lose = (thrown: unknown, loser: AbortController) => {
    runners.delete(loser)
    failures.push(thrown)
    if (isWon || runners.size > 0) return
    clearTimeout(timer)
    reject(failures[0])
  }
  const begin = (run: (signal: AbortSignal) => Promise<Made> | undefined) => {
    if (signal.aborted) return
    const runner = controllerUnder(signal)
    runners.add(runner)
    const running = run(runner.signal)
    if (running === undefined) runners.delete(runner)
    running?.then(
      (made) => (isWon ? discard(made) : win(made, runner)),
      (thrown: unknown) => lose(thrown, runner),
    )
  }
  const timer = setTimeout(() => begin(second), afterMs)
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  begin(first)
  return promise
}

/** Not a fault: another attempt answered first. */
function tooLate(): Failure {
  return new Failure('superseded', 'Another attempt answered sooner.')
}
