import { gzipSync } from 'node:zlib'
import { answer } from '../../harness/raw-server.ts'
import type { Fault, Served } from './fault-upstream.ts'
import { wholeReply } from './speech.ts'

/** Compressed answers, from an upstream that was asked for plain ones. */
export const encodings: Readonly<Record<string, Fault>> = {
  gzip: (served) => compressed(served, 'gzip', gzipSync(wholeReply(served))),
  'gzip-bomb': (served) => compressed(served, 'gzip', gzipSync(Buffer.alloc(bombBytes, ' '))),
  'gzip-six': (served) => {
    const layers = Array.from({ length: 6 }, () => 'gzip')
    const packed = layers.reduce<Buffer>((inner) => gzipSync(inner), Buffer.from(wholeReply(served)))
    compressed(served, layers.join(', '), packed)
  },
  'gzip-bad': (served) => compressed(served, 'gzip', Buffer.from('this is no gzip')),
  // Says nothing of it.
  'gzip-unsaid': (served) => compressed(served, 'identity', gzipSync(wholeReply(served))),
}

const bombBytes = 8 * 1024 * 1024

function compressed(served: Served, encoding: string, body: Buffer): void {
  served.work(served.words.length)
  served.socket.write(answer(body, { headers: { 'content-encoding': encoding } }))
  served.finishUntold()
}
