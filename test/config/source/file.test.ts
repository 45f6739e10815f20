// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gateway.yaml's own substitution is written so.
import { describe, expect, test } from 'vitest'
import { readConfigFile } from '../../../src/config/source/file.ts'

test.for<[string, unknown]>([
  ['', undefined],
  ['# only this', undefined],
  ['\uFEFFa: 1\r\nb: two\r\n', { a: 1, b: 'two' }],
  ['a:\nb: ~', { a: null, b: null }],
  ['a: [1, 0x10, 1.5, true, "8", x]', { a: [1, 16, 1.5, true, '8', 'x'] }],
  ['1.10: a\n0x10: b\ntrue: c', { '1.10': 'a', '0x10': 'b', true: 'c' }],
  ['a: &x { b: 1 }\nc: *x\nd: [*x]', { a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }] }],
  ['a: &x one\nb: &x two\nc: *x', { a: 'one', b: 'two', c: 'two' }],
  ['a: |\n  b\n  ${NAME}\n', { a: 'b\nvalue\n' }],
  ['a: "${NAME}"\nb: ${NAME}\nc: [$$, "${NONE:-x}"]', { a: 'value', b: 'value', c: ['$', 'x'] }],
  ['a: !!str 8', { a: '8' }],
  ['---\na: 1\n...\n', { a: 1 }],
  ['constructor: 1\ntoString: 2', { constructor: 1, toString: 2 }],
])('%j is read', ([text, content]) => {
  expect(readConfigFile('a.yaml', text, { NAME: 'value' })).toMatchObject({
    content,
    problems: [],
    findings: [],
  })
})

describe('what is not YAML is reported by line and column, and never quoted', () => {
  const general = 'this is not allowed here; text with special characters needs quotes'
  test.for([
    ['a: 1\nb: "canary', 2, 11, 'a quote, a bracket or a colon is missing'],
    ['a: 1\ncanary', 2, 1, 'a quote, a bracket or a colon is missing'],
    ['a: [canary\nb: 1\n', 2, 1, 'the indentation is wrong, or a bracket is not closed'],
    ['a:\n\t- canary', 2, 1, 'indented with a tab; spaces are expected'],
    ['a: b: canary', 1, 4, 'a second key on one line; text with ": " in it needs quotes'],
    ['a: @canary', 1, 4, 'text that begins with a special character needs quotes'],
    ['a: "\\canary"', 1, 5, 'an unknown \\ escape; write \\\\ for a backslash, or use single quotes'],
    ['a: !canary x', 1, 4, 'tags (!) are not supported; text that begins with ! needs quotes'],
    ['a: !!binary Y2FuYXJ5', 1, 4, 'tags (!) are not supported; text that begins with ! needs quotes'],
    ['a: 1\n---\ncanary: 1\n', 2, 1, 'a second document begins; one is expected'],
    ['{ a: ${canary} }', 1, 7, 'a ${NAME} within [ ] or { } needs quotes: "${NAME}"'],
    ['%canary 9\n---\na: 1', 1, 1, general],
  ] as const)('%j', ([text, line, column, told]) => {
    const { problems, content } = readConfigFile('a.yaml', text, {})
    expect(problems).toEqual([{ source: 'a.yaml', line, column, place: '', message: `is not YAML: ${told}` }])
    expect(content).toBeUndefined()
  })
})

test.for<[(string | number)[], number | undefined]>([
  [['a'], 1],
  [['a', 'b'], 2],
  [['a', 'b', 0], 3],
  [['a', 'b', 1, 'c'], 5],
  [['a', 'b', 1, 'missing', 'deeper'], 4],
  [['a', 'missing'], 1],
  [['d', 'b'], 6],
  [['missing'], undefined],
  [[], undefined],
])('%j is found in line %j, or close to it', ([path, line]) => {
  const text = 'a: &a\n  b:\n    - 1\n    - x: 1\n      c: 2\nd: *a\n'
  expect(readConfigFile('a.yaml', text, {}).lineOf(path)).toBe(line)
})

test('aliases cannot be made to fill the memory', () => {
  const rows = Array.from({ length: 60 }, (_, row) => `a${row + 1}: &a${row + 1} [${`*a${row}, `.repeat(9)}]`)
  const { content } = readConfigFile('a.yaml', ['a0: &a0 [x]', ...rows].join('\n'), {})
  expect(Object.keys(content as object)).toHaveLength(61)
})
