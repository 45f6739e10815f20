/**
 * An iterator that hands its next step straight to its reader: every promise between costs each token of a stream its
 * turns.
 */
export interface PullIterator<Item> {
  /**
   * What `use` makes of the next step, or `failed` of what was thrown instead; what they throw themselves rejects.
   * One step at a time. Not `take`, which the iterators of the language may come to have, for something else.
   */
  takeStep<Used>(use: UseStep<Item, Used>, failed: UseFailure<Used>): Promise<Used>
  /** Wants no more. */
  return?(): Promise<unknown>
}

export type UseStep<Item, Used> = (step: IteratorResult<Item, undefined>) => Used | Promise<Used>
export type UseFailure<Used> = (thrown: unknown) => Used | Promise<Used>

/** The steps of any iterator. */
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

/** For `takeStep`, where the step itself is wanted. */
export function passThrough<Item>(step: IteratorResult<Item, undefined>): IteratorResult<Item, undefined> {
  return step
}

/** For `takeStep`, where what is thrown is thrown on. */
export function rethrow(thrown: unknown): never {
  throw thrown
}
