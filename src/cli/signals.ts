import { isatty } from 'node:tty'

/** The signals that ask a process to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/**
 * Resolves with the first SIGINT or SIGTERM. The second is told to `hurry`; the third ends the process at once. Without
 * `hurry` the second does. Those that come together are one.
 */
export function untilSignalled(hurry: (signal: StopSignal) => void = endAtOnce): Promise<StopSignal> {
  return new Promise((resolve) => {
    const receivers = [resolve, hurry]
    let lastAt = Number.NEGATIVE_INFINITY
    const receive = (signal: StopSignal) => {
      const now = performance.now()
      if (now - lastAt < echoMs) return
      lastAt = now
      const receiver = receivers.shift() ?? endAtOnce
      receiver(signal)
    }
    process.on('SIGINT', receive)
    process.on('SIGTERM', receive)
  })
}

/**
 * Calls `reload` at every SIGHUP. One that a console sent because it was closed stops the process, as it would any
 * other.
 */
export function onReloadSignal(reload: () => void): void {
  const hasConsole = isatty(1)
  process.on('SIGHUP', () => {
    if (hasConsole && !isatty(1)) process.kill(process.pid, 'SIGTERM')
    else reload()
  })
}

/** What is sent to a group of processes reaches this one twice where npm, among them, passes it on. */
const echoMs = 100

/** What a shell makes of a process that a signal ended: 128 and the signal's number. */
export function exitCodeOf(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143
}

function endAtOnce(signal: StopSignal): never {
  process.exit(exitCodeOf(signal))
}
