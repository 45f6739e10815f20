/**
 * What the processes of one gateway tell each other. What is published reaches every subscriber in every process, the
 * publisher's own included, at most once, and in the order of its publisher. None of it is kept.
 */
export interface SharedBus {
  /** Does not wait, and never throws: where there is nothing to tell it over, it is lost. */
  publish(topic: string, text: string): void
  /**
   * `hear` gets each text from now on; it must not throw. `missed` is called where some may have been lost, once they are
   * heard again. Ends with the function that it gives.
   */
  subscribe(topic: string, hear: (text: string) => void, missed?: () => void): () => void
}
