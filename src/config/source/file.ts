import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { type Finding, type Path, type Problem, placeOf } from '../report/problem.ts'
import { type Environment, substitute } from './substitution.ts'

/** A parsed gateway.yaml: its content with variables substituted, and the lines of its settings. */
export type ConfigFile = {
  /** The content as plain data; undefined if the text is empty or not YAML. */
  readonly content: unknown
  /** The problem of a text that is not YAML. There are then no findings. */
  readonly problems: readonly Problem[]
  /** Problems of valid YAML, such as missing variables. */
  readonly findings: readonly Finding[]
  /** Returns the line of a path, or of its nearest existing parent. */
  readonly lineOf: (path: Path) => number | undefined
}

/** Parses the text of a configuration file. Problems are in the result, and contain no values. */
export function readConfigFile(path: string, text: string, environment: Environment): ConfigFile {
  if (text.startsWith('\uFFFD\uFFFD') || text.slice(0, 1000).includes('\0'))
    return broken(path, 'is not UTF-8 text, but probably UTF-16; save it as UTF-8')
  const depth = deepestNesting(text)
  if (depth > mostDepth) return broken(path, `is nested ${depth} levels deep, expected at most ${mostDepth}`)
  const counter = new LineCounter()
  // Tags are disabled: a file contains only text, numbers and booleans. Error messages are our own, see `syntaxError`.
  const document = parseDocument(text, {
    prettyErrors: false,
    lineCounter: counter,
    uniqueKeys: false,
    resolveKnownTags: false,
  })
  const [fault] = [...document.errors, ...document.warnings].toSorted(
    (one, other) => one.pos[0] - other.pos[0],
  )
  if (fault !== undefined) {
    // Later errors are mostly consequences of the first one.
    const { line, col } = counter.linePos(fault.pos[0])
    const message = missingQuotes(text.split('\n')[line - 1] ?? '') ?? syntaxError(fault.code)
    const problem = { source: path, line, column: col, place: '', message }
    return { content: undefined, problems: [problem], findings: [], lineOf: () => undefined }
  }
  const reading: ReadState = { environment, counter, lines: new Map(), anchors: new Map(), findings: [] }
  const content = document.contents === null ? undefined : read(document.contents, [], reading)
  return {
    content,
    problems: [],
    findings: reading.findings,
    lineOf: (place) => lineOf(reading.lines, place),
  }
}

function broken(path: string, message: string): ConfigFile {
  return {
    content: undefined,
    problems: [{ source: path, place: '', message }],
    findings: [],
    lineOf: () => undefined,
  }
}

/** The maximum nesting of brackets and indentation. The parser would overflow the stack. */
const mostDepth = 64

function deepestNesting(text: string): number {
  let depth = 0
  let most = 0
  for (const line of text.split('\n')) {
    const dashes = /^[\s-]*/.exec(line)?.[0].replace(/[^-]/g, '').length ?? 0
    most = Math.max(most, dashes)
    // Brackets in quotes and comments do not count.
    for (const character of line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\s#.*$/g, '')) {
      if (character === '[' || character === '{') most = Math.max(most, ++depth)
      else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    }
  }
  return most
}

/** The most likely error of a line; undefined if unknown. */
function missingQuotes(line: string): string | undefined {
  if (/[[{,]\s*\$\{|[[{,][^"'#]*\$\{/.test(line)) {
    return `is not YAML: a \${NAME} within [ ] or { } needs quotes: "\${NAME}"`
  }
  return /^\s*(?:-\s+)?\*[^\s"']*\s*:/.test(line)
    ? 'is not YAML: a name that begins with * needs quotes: "*"'
    : undefined
}

type ReadState = {
  readonly environment: Environment
  readonly counter: LineCounter
  readonly lines: Map<string, number>
  readonly anchors: Map<string, unknown>
  readonly findings: Finding[]
}

function read(node: unknown, path: Path, reading: ReadState): unknown {
  if (isAlias(node)) {
    // An anchor is known only after its value was read, so no value can contain itself.
    if (reading.anchors.has(node.source)) return reading.anchors.get(node.source)
    reading.findings.push({
      path,
      message: 'found an alias (*) without its anchor (&), expected the anchor before it',
    })
    return undefined
  }
  const value = readValue(node, path, reading)
  const anchor = (node as (Node & { anchor?: string }) | null)?.anchor
  if (anchor !== undefined) reading.anchors.set(anchor, value)
  return value
}

function readValue(node: unknown, path: Path, reading: ReadState): unknown {
  if (isMap(node)) return readSection(node, path, reading)
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      noteLine(item, [...path, index], reading)
      return read(item, [...path, index], reading)
    })
  }
  const value = isScalar(node) ? node.value : null
  if (typeof value !== 'string') return value
  const substituted = substitute(value, reading.environment)
  if ('text' in substituted) return substituted.text
  reading.findings.push({ path, message: substituted.message })
  return undefined
}

function readSection(node: YAMLMap, path: Path, reading: ReadState): Record<string, unknown> {
  const section: Record<string, unknown> = {}
  for (const pair of node.items) {
    const key = keyOf(pair)
    const place = [...path, key ?? '']
    noteLine(pair.key, place, reading)
    if (key === undefined) {
      reading.findings.push({ path, message: 'found a key that is not plain text, expected a name' })
    } else if (key === '<<') {
      const message =
        'is a merge key, which is not supported here, expected the settings themselves, or `name: *anchor`'
      reading.findings.push({ path: place, message })
    } else if (Object.hasOwn(section, key)) {
      reading.findings.push({ path: place, message: 'found twice, expected once' })
    } else {
      section[key] = read(pair.value, place, reading)
    }
  }
  return section
}

/** The key as written: `1.10` is not the number 1.1. */
function keyOf({ key }: Pair): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined
  const text = typeof key.value === 'string' ? key.value : key.source
  return text === '__proto__' ? undefined : text
}

function noteLine(node: unknown, path: Path, { counter, lines }: ReadState): void {
  const start = (node as Node | null)?.range?.[0]
  if (start !== undefined) lines.set(placeOf(path), counter.linePos(start).line)
}

function lineOf(lines: ReadonlyMap<string, number>, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(placeOf(path.slice(0, length)))
    if (line !== undefined) return line
  }
  return undefined
}

/** Our own messages for the parser's errors, because its messages quote the text. */
function syntaxError(code: string): string {
  return `is not YAML: ${syntaxErrors[code] ?? 'this is not allowed here; text with special characters needs quotes'}`
}

const syntaxErrors: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BAD_SCALAR_START: 'text that begins with a special character needs quotes',
  BAD_DQ_ESCAPE: 'an unknown \\ escape; write \\\\ for a backslash, or use single quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on one line; text with ": " in it needs quotes',
  MISSING_CHAR: 'a quote, a bracket or a colon is missing',
  MULTIPLE_DOCS: 'a second document begins; one is expected',
  TAB_AS_INDENT: 'indented with a tab; spaces are expected',
  TAG_RESOLVE_FAILED: 'tags (!) are not supported; text that begins with ! needs quotes',
}
