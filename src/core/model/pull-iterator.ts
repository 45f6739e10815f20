/**
 * An iterator that passes its next step directly to its reader: each promise in between would delay every token of a
 * stream by a microtask.
 */
export interface PullIterator<Item> {
  /**
   * Resolves with the result of `use` for the next step, or of `failed` for an error; rejects with what these throw.
   * One step at a time. Not named `take`, because iterator helpers of JavaScript have that name.
   */
  takeStep<Used>(use: UseStep<Item, Used>, failed: UseFailure<Used>): Promise<Used>
  /** Closes it. */
  return?(): Promise<unknown>
}

export type UseStep<Item, Used> = (step: IteratorResult<Item, undefined>) => Used | Promise<Used>
export type UseFailure<Used> = (thrown: unknown) => Used | Promise<Used>

/** Wraps any iterator. */
export function pullIterator<Item>(iterator: AsyncIterator<Item>): PullIterator<Item> {
  return isDirect(iterator) ? iterator : new IteratedSteps(iterator)
}

function isDirect<Item>(iterator: AsyncIterator<Item>): iterator is AsyncIterator<Item> & PullIterator<Item> {
  return 'takeStep' in iterator
}

class IteratedSteps<Item> implements PullIterator<Item> {
  readonly #iterator: AsyncIterator<Item>

  constructor(iterator: AsyncIterator<Item>) {
    this.#iterator = iterator
  }

  takeStep<Used>(use: UseStep<Item, Used>, failed: UseFailure<Used>): Promise<Used> {
    return this.#iterator.next().then(use, failed)
  }

  return(): Promise<unknown> {
    return this.#iterator.return?.() ?? Promise.resolve()
  }
}

/** For `takeStep`: returns the step itself. */
export function passThrough<Item>(step: IteratorResult<Item, undefined>): IteratorResult<Item, undefined> {
  return step
}

/** For `takeStep`: rethrows. */
export function rethrow(thrown: unknown): never {
  throw thrown
}
