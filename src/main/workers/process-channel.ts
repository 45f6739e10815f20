import type { Channel, Frame } from '../../state/primary/peer.ts'

/** The messages to another process of this gateway, or to the primary. */
export type MessagePort = {
  send?(message: unknown, handle: undefined, options: undefined, done: () => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** The channel that Node.js keeps between a process and its children. */
export function processChannel(port: MessagePort): Channel {
  return {
    // Messages that can no longer be sent are reported by the end of the channel.
    send: (frames) => void port.send?.(frames, undefined, undefined, ignore),
    receive: (take) =>
      void port.on('message', (message) => {
        if (Array.isArray(message)) take(message as readonly Frame[])
      }),
  }
}

function ignore(): void {}
