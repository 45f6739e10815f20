/** One process's places at an upstream. */
export interface Places {
  /** Takes a place if this process has a free one. */
  take(): boolean
  give(): void
  /** False: another process waits, so a freed place must not go to the next call that waits here. */
  mayPassOn(): boolean
  /** Counts one more waiting call. `serve` is called whenever places were added. */
  wait(serve: () => void): void
  /** Counts one waiting call less. */
  endWait(serve: () => void): void
  readonly used: number
}
