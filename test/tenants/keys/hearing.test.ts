import { expect, test } from 'vitest'
import type { AdminEntry } from '../../../src/core/model/journal.ts'
import type { Key } from '../../../src/tenants/keys/key.ts'
import { type Actor, createRegistry } from '../../../src/tenants/keys/registry.ts'
import { keyWith } from '../stage.ts'

/** A node, whose clock stands still. */
function node(now: number, name: string) {
  const registry = createRegistry()
  const said: AdminEntry[] = []
  const by: Actor = {
    name,
    note(entry, at = (moment) => moment) {
      const row: AdminEntry = {
        type: 'admin',
        id: `${name}${said.length}`,
        at: at(now),
        actor: name,
        ...entry,
      }
      said.push(row)
      return row
    },
  }
  return {
    registry,
    change(after: Key | null, id = after?.id ?? '') {
      registry.changeKey({ by, action: 'key.update', id, after })
      return said.at(-1) as AdminEntry
    },
  }
}

const key = keyWith({ id: 'k', name: 'one' })

test('of changes at the same time, both nodes take the same one', () => {
  const [a, b] = [node(5, 'a'), node(5, 'b')]
  const [ofA, ofB] = [a.change({ ...key, name: 'of a' }), b.change({ ...key, name: 'of b' })]
  expect([a.registry.hear(ofB), b.registry.hear(ofA)]).toEqual([true, false])
  expect([a.registry.key('k')?.name, b.registry.key('k')?.name]).toEqual(['of b', 'of b'])
})

test('a change is later than what its node has heard, though its clock is behind', () => {
  const [ahead, behind] = [node(1000, 'a'), node(10, 'b')]
  behind.registry.hear(ahead.change(key))
  const gone = behind.change(null, 'k')
  expect(ahead.registry.hear(gone)).toBe(true)
  expect(ahead.registry.key('k')).toBeUndefined()
})

test('what is heard twice changes nothing, and what is older neither, also after a restart', () => {
  const [a, b] = [node(5, 'a'), node(9, 'b')]
  const [first, second] = [a.change(key), a.change(null, 'k')]
  expect([b.registry.hear(second), b.registry.hear(second), b.registry.hear(first)]).toEqual([
    true,
    false,
    false,
  ])
  const again = createRegistry()
  again.projection.restore(b.registry.projection.snapshot())
  expect(again.hear(first)).toBe(false)
  expect(again.key('k')).toBeUndefined()
})
