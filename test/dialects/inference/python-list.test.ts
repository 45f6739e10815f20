import { expect, test } from 'vitest'
import { pythonList } from '../../../src/dialects/inference/python-list.ts'

// Each as CPython prints it.
test.for([
  [[], '[]'],
  [['region'], "['region']"],
  [['region', 'queue_ms'], "['region', 'queue_ms']"],
  [["it's"], '["it\'s"]'],
  [['say "hi"'], '[\'say "hi"\']'],
  [[`it's "it"`], `['it\\'s "it"']`],
  [['back\\slash'], "['back\\\\slash']"],
  [['a\nb\rc\td'], "['a\\nb\\rc\\td']"],
  [['\u0000\u001b\u007f\u00a0'], "['\\x00\\x1b\\x7f\\xa0']"],
  [['\u200b\u2028'], "['\\u200b\\u2028']"],
  [['\u{e0001}'], "['\\U000e0001']"],
  [['é 模 😀'], "['é 模 😀']"],
] as const)('The list %j is printed as %s', ([items, printed]) => {
  expect(pythonList(items)).toBe(printed)
})
