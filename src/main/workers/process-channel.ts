import type { Channel, Frame } from '../../state/primary/peer.ts'

/** Another process of this gateway, or this one as it is seen by its primary, as far as messages go. */
export type MessagePort = {
  send?(message: unknown, handle: undefined, options: undefined, done: () => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** The channel that Node.js keeps between a process and those that it forks. */
export function processChannel(port: MessagePort): Channel {
  return {
    // What cannot be sent any more is told by the end of the channel.
    send: (frames) => void port.send?.(frames, undefined, undefined, ignore),
    receive: (take) =>
      void port.on('message', (message) => {
        if (Array.isArray(message)) take(message as readonly Frame[])
      }),
  }
}

function ignore(): void {}
