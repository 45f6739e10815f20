/** The places of one upstream, as one process has them. */
export interface Places {
  /** Takes a place, if this process has a free one. */
  take(): boolean
  give(): void
  /** False: a place that becomes free here may not go to the next who waits here. */
  mayPassOn(): boolean
  /** One more call waits here. `serve` is called whenever there are more places than before. */
  wait(serve: () => void): void
  /** One of those waits no longer. */
  endWait(serve: () => void): void
  readonly used: number
}
