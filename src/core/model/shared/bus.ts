/**
 * Messages between the processes of one gateway. A message reaches every subscriber in every process, including the
 * publisher's own, at most once, in the order of its publisher. Nothing is stored.
 */
export interface SharedBus {
  /** Does not block and never throws: without a connection the message is lost. */
  publish(topic: string, text: string): void
  /**
   * `listener` receives every text published from now on; it must not throw. `missed` is called after messages may have
   * been lost. Returns a function that unsubscribes.
   */
  subscribe(topic: string, listener: (text: string) => void, missed?: () => void): () => void
}
