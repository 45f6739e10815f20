/**
 * Runs tasks concurrently, at most `limit` at once and started in order, and yields the values of their iterators as
 * they arrive, with each task's position. If one rejects, `failed` is called first; then, as when the reader leaves,
 * the other iterators are returned.
 */
export async function* merge<T>(
  tasks: readonly (() => Promise<AsyncIterable<T> | Iterable<T>>)[],
  limit: number,
  failed?: () => void,
): AsyncGenerator<{ readonly position: number; readonly value: T }, void, void> {
  const running = new Map<number, Runner<T>>()
  let begun = 0
  const begin = () => {
    const position = begun++
    const task = tasks[position]
    if (task !== undefined) running.set(position, createRunner(position, task))
  }
  try {
    while (begun < Math.min(limit, tasks.length)) begin()
    while (running.size > 0) {
      const { position, step } = await Promise.race(Array.from(running.values(), (runner) => runner.pending))
      const runner = running.get(position)
      if (step.done === true) {
        running.delete(position)
        if (begun < tasks.length) begin()
      } else {
        yield { position, value: step.value }
        runner?.pull()
      }
    }
  } catch (thrown) {
    failed?.()
    throw thrown
  } finally {
    for (const runner of running.values()) runner.abandon()
  }
}

type Step<T> = { readonly position: number; readonly step: IteratorResult<T, unknown> }

type Runner<T> = { pending: Promise<Step<T>>; pull(): void; abandon(): void }

function createRunner<T>(position: number, task: () => Promise<AsyncIterable<T> | Iterable<T>>): Runner<T> {
  const opening = task().then(iteratorOf)
  const next = async (): Promise<Step<T>> => ({ position, step: await (await opening).next() })
  const runner: Runner<T> = {
    pending: next(),
    pull() {
      runner.pending = next()
    },
    abandon() {
      // The reason is already known: later rejections are ignored.
      runner.pending.catch(() => undefined)
      opening.then((iterator) => iterator.return?.()).catch(() => undefined)
    },
  }
  return runner
}

function iteratorOf<T>(iterable: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
}
