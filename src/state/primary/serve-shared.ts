import { CallAbort } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'
import type { SharedBus } from '../../core/model/shared/bus.ts'
import type { SharedCache } from '../../core/model/shared/cache.ts'
import type { SharedState } from '../../core/model/shared/state.ts'
import type { Methods, Peer } from './peer.ts'

export type SharedParts = {
  readonly state: SharedState
  readonly cache: SharedCache
  readonly bus: SharedBus
}

/** Serves a worker's requests, in the primary. Disposing it ends that worker's subscriptions and followers. */
export function serveShared(worker: Peer, { state, cache, bus }: SharedParts): Disposable {
  const topics = new Map<string, () => void>()
  const followers = new Map<number, Follower>()
  worker.serve({
    ...methodsOf('state', state, stateMethods),
    ...methodsOf('cache', cache, cacheMethods),
    'cache.follow': (id: number, key: string) => void followers.set(id, followIn(cache, key)),
    'cache.next': (id: number) => nextOf(followers.get(id)),
    'cache.leave': (id: number) => {
      followers.get(id)?.leave()
      followers.delete(id)
    },
    'bus.publish': (topic: string, text: string) => bus.publish(topic, text),
    'bus.subscribe': (topic: string) => {
      topics.get(topic)?.()
      topics.set(
        topic,
        bus.subscribe(
          topic,
          (text) => worker.tell('bus.hear', topic, text),
          () => worker.tell('bus.missed', topic),
        ),
      )
    },
    'bus.leave': (topic: string) => {
      topics.get(topic)?.()
      topics.delete(topic)
    },
  })
  return {
    [Symbol.dispose]() {
      for (const leave of topics.values()) leave()
      for (const { leave } of followers.values()) leave()
      topics.clear()
      followers.clear()
    },
  }
}

const stateMethods = [
  ...(['reserve', 'grow', 'settle', 'resolve', 'charge', 'read', 'holdsOn'] as const),
  ...(['admit', 'refund', 'readRates', 'release', 'allot', 'abandon'] as const),
] satisfies readonly (keyof SharedState)[]

const cacheMethods = [
  'get',
  'put',
  'remove',
  'begin',
  'append',
  'finish',
  'abandon',
  'forget',
] as const satisfies readonly (keyof SharedCache)[]

function methodsOf<Of extends object>(
  prefix: string,
  of: Of,
  names: readonly (keyof Of & string)[],
): Methods {
  return Object.fromEntries(
    names.map((name) => [
      `${prefix}.${name}`,
      (...given: readonly never[]): unknown => Reflect.apply(of[name] as () => unknown, of, given),
    ]),
  )
}

type Follower = { readonly pieces: AsyncIterator<string>; leave(): void }

function followIn(cache: SharedCache, key: string): Follower {
  const left = new CallAbort()
  return {
    pieces: cache.follow(key, left)[Symbol.asyncIterator](),
    leave: () => left.abort(new Failure('caller_left', 'This answer is no longer followed.')),
  }
}

async function nextOf(follower: Follower | undefined): Promise<string | undefined> {
  if (follower === undefined) throw new TypeError('No follower has this number.')
  const { done, value } = await follower.pieces.next()
  return done === true ? undefined : value
}
