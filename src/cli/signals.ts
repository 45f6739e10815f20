import { isatty } from 'node:tty'

/** The signals that ask a process to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/**
 * Resolves with the first SIGINT or SIGTERM. The second calls `hurry`; the third ends the process at once. Without
 * `hurry`, the second ends it. Signals that arrive together count as one.
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

/** Calls `reload` at every SIGHUP. A SIGHUP from a console that was closed stops the process. */
export function onReloadSignal(reload: () => void): void {
  const hasConsole = isatty(1)
  process.on('SIGHUP', () => {
    if (hasConsole && !isatty(1)) process.kill(process.pid, 'SIGTERM')
    else reload()
  })
}

/** npm and others forward signals of the process group, so they arrive twice. */
const echoMs = 100

/** A shell's exit code for a process ended by a signal: 128 plus the signal's number. */
export function exitCodeOf(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143
}

function endAtOnce(signal: StopSignal): never {
  process.exit(exitCodeOf(signal))
}
