import { expect, test } from 'vitest'
import { storedJson, storedName } from '../../../src/ledger/store/stored-text.ts'

test.for<[json: string, stored: string]>([
  [String.raw`{"a":"x\u0000y"}`, String.raw`{"a":"x\ufffdy"}`],
  [String.raw`{"a":"\ud83d\ude00 \ud83d"}`, String.raw`{"a":"\ud83d\ude00 \ufffd"}`],
  [String.raw`{"a":"\\u0000 \\\u0000"}`, String.raw`{"a":"\\u0000 \\\ufffd"}`],
  [String.raw`{"\udc00":1}`, String.raw`{"\ufffd":1}`],
  [String.raw`{"a":"\u00e9\n"}`, String.raw`{"a":"\u00e9\n"}`],
])('of JSON only what no database takes is replaced: %s', ([json, stored]) => {
  expect(storedJson(json)).toBe(stored)
  expect(() => JSON.parse(storedJson(json))).not.toThrow()
})

test.for(['é', '語', '😀', 'a'])('a long name of %s is cut between characters, and stays so', (character) => {
  const name = storedName(character.repeat(400))
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(320)
  expect(name).not.toContain('\ufffd')
  expect(storedName(name)).toBe(name)
})
