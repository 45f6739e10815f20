import { EventEmitter, once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchFiles } from '../../src/cli/file-watch.ts'
import { removeDirectory } from '../harness/directory.ts'

test.for<[string, (place: Place) => Promise<void>]>([
  ['is written over', ({ path }) => writeFile(path, 'new')],
  [
    'is replaced by another, as editors do',
    async ({ path }) => {
      await writeFile(`${path}~`, 'new')
      await rename(`${path}~`, path)
    },
  ],
  [
    'is removed and written again',
    async ({ path }) => {
      await rm(path)
      await writeFile(path, 'new')
    },
  ],
])('a file that %s has changed', async ([, change]) => {
  await using place = await openPlace()
  await writeFile(place.path, 'old')
  using watch = watched(place.path, 'old')
  await change(place)
  expect(await watch.changes(1)).toEqual(['new'])
})

test('a file behind links that are swapped, as Kubernetes does with a ConfigMap, has changed', async () => {
  await using place = await openPlace()
  const { directory, path } = place
  await mkdir(join(directory, '..1'))
  await writeFile(join(directory, '..1', 'gateway.yaml'), 'old')
  await symlink('..1', join(directory, '..data'))
  await symlink('..data/gateway.yaml', path)
  using watch = watched(path, 'old')
  await mkdir(join(directory, '..2'))
  await writeFile(join(directory, '..2', 'gateway.yaml'), 'new')
  await symlink('..2', join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
  await removeDirectory(join(directory, '..1'))
  expect(await watch.changes(1)).toEqual(['new'])
})

test('a file that was not there has changed when it is, and when it is gone again', async () => {
  await using place = await openPlace()
  using watch = watched(place.path, undefined)
  await writeFile(place.path, 'new')
  expect(await watch.changes(1)).toEqual(['new'])
  await rm(place.path)
  expect(await watch.changes(2)).toEqual(['new', undefined])
})

test('what somebody else has read already is no change, and each change is reported once', async () => {
  await using place = await openPlace()
  await writeFile(place.path, 'old')
  using watch = watched(place.path, 'old')
  watch.know('by a signal')
  await writeFile(place.path, 'by a signal')
  await watch.compared()
  await writeFile(place.path, 'refused')
  expect(await watch.changes(1)).toEqual(['refused'])
  await writeFile(place.path, 'mended')
  expect(await watch.changes(2)).toEqual(['refused', 'mended'])
})

test('a file that was changed before the first look has changed', async () => {
  await using place = await openPlace()
  await writeFile(place.path, 'new')
  using watch = watched(place.path, 'old')
  expect(await watch.changes(1)).toEqual(['new'])
})

type Watched = Disposable & {
  /** The texts at the first so many changes, once there are as many. */
  changes(count: number): Promise<readonly (string | undefined)[]>
  /** As if it had been read by another. */
  know(text: string): void
  /** Resolves when the file was found to have another text than at first, and that to be known. */
  compared(): Promise<void>
}

/** Remembers what it has seen, like the reader of a configuration. */
function watched(path: string, text: string | undefined): Watched {
  let known = text
  let comparisons = 0
  const changes: (string | undefined)[] = []
  const events = new EventEmitter()
  const until = async (holds: () => boolean) => {
    while (!holds()) await once(events, 'look')
  }
  const watch = watchFiles({
    paths: () => [path],
    everyMs: 5,
    known() {
      comparisons++
      events.emit('look')
      return known
    },
    changed() {
      known = existsSync(path) ? readFileSync(path, 'utf8') : undefined
      changes.push(known)
      events.emit('look')
    },
  })
  return {
    async changes(count) {
      await until(() => changes.length >= count)
      return changes
    },
    know(other) {
      known = other
    },
    // The first is made at the beginning.
    compared: () => until(() => comparisons > 1),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}

type Place = AsyncDisposable & { readonly directory: string; readonly path: string }

async function openPlace(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'))
  return {
    directory,
    path: join(directory, 'gateway.yaml'),
    [Symbol.asyncDispose]: () => removeDirectory(directory),
  }
}
