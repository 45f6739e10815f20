import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { packages, rooms } from './rooms.ts'

const source = fileURLToPath(new URL('../src', import.meta.url))
const files = new Map<string, string>()
for await (const path of glob('**/*.{ts,tsx,js}', { cwd: source }))
  files.set(path, readFileSync(join(source, path), 'utf8'))

describe('the source', () => {
  test('is read whole', () => {
    expect(files.size).toBeGreaterThan(80)
    const imports = [...files].flatMap(([path, text]) => importsOf(path, text))
    expect(imports.length).toBeGreaterThan(200)
    expect(new Set([...files.keys()].map(roomOf))).toEqual(new Set(Object.keys(rooms)))
  })

  test('has arrows that point down only', () => {
    expect(wrongArrows(files)).toEqual([])
  })

  test('keeps each package in its room', () => {
    expect(strayPackages(files)).toEqual([])
  })

  test('has no circle', () => {
    expect(circles(files)).toEqual([])
  })
})

describe('what is looked for is found', () => {
  const sources = (...pairs: readonly (readonly [string, string])[]) => new Map(pairs)

  test.for<[string, string, string]>([
    ['upwards', 'core/a.ts', "import { b } from '../http/b.ts'"],
    ['upwards within a room', 'core/model/a.ts', "import { b } from '../plan/b.ts'"],
    ['from a folder to the one around it', 'core/attempt/a.ts', "import type { B } from '../gateway.ts'"],
    ['upwards, for a type', 'core/a.ts', "import type { B } from '../dialects/b.ts'"],
    ['sideways', 'dialects/a.ts', "import { b } from '../providers/b.ts'"],
    ['to a room that is not for it', 'http/a.ts', "import { b } from '../telemetry/b.ts'"],
    ['over several lines', 'telemetry/a.ts', "import {\n  b,\n  c,\n} from '../tokenizers/b.ts'"],
    ['by name at run time', 'core/a.ts', "const b = await import('../main.ts')"],
    ['for its effect', 'core/a.ts', "import '../simulator/b.ts'"],
    ['by passing it on', 'core/a.ts', "export { b } from '../providers/b.ts'"],
    ['out of the house', 'core/a.ts', "import { b } from '../../test/b.ts'"],
    ['from a configuration to what is made of it', 'config/a.ts', "import { b } from '../main.ts'"],
  ])('an arrow %s', ([, path, text]) => {
    expect(wrongArrows(sources([path, text]))).toHaveLength(1)
  })

  test.for<[string, string]>([
    ['core/a.ts', "import Koa from 'koa'"],
    ['core/a.ts', "import * as z from 'zod'"],
    ['http/a.ts', "import { Pool } from 'undici'"],
    ['providers/b.ts', "import { Pool } from 'undici'"],
    ['http/a.ts', "import pino from 'pino'"],
    ['http/a.ts', "import type { Logger } from 'pino'"],
    ['providers/a.ts', "import { encode } from 'gpt-tokenizer/encoding/cl100k_base'"],
    ['dialects/a.ts', "import OpenAI from 'openai'"],
    ['core/a.ts', "import { x } from 'left-pad'"],
  ])('a package out of its room: %s, %s', ([path, text]) => {
    expect(strayPackages(sources([path, text]))).toHaveLength(1)
  })

  test.for<[string, string]>([
    ['main.ts', "import type { Logger } from 'pino'"],
    ['dialects/a.ts', "import type OpenAI from 'openai'"],
    ['providers/wire/wire.ts', "import { Pool } from 'undici'"],
    ['http/a.ts', "import { once } from 'node:events'"],
    ['core/a.ts', "// import Koa from 'koa'"],
  ])('and no other: %s, %s', ([path, text]) => {
    expect(strayPackages(sources([path, text]))).toEqual([])
  })

  test('a circle', () => {
    const round = sources(
      ['core/a.ts', "import { b } from './b.ts'"],
      ['core/b.ts', "import { c, type C } from './c.ts'"],
      ['core/c.ts', "import { a } from './a.ts'"],
    )
    expect(circles(round)).toEqual(['core/a.ts > core/b.ts > core/c.ts > core/a.ts'])
  })

  test('a circle that types close', () => {
    const open = sources(
      ['core/a.ts', "import { b } from './b.ts'"],
      ['core/b.ts', "import type { A } from './a.ts'"],
    )
    expect(circles(open)).toEqual(['core/a.ts > core/b.ts > core/a.ts'])
  })
})

type Import = {
  readonly from: string
  /** As it is written. */
  readonly specifier: string
  /** Within src; undefined for a package. */
  readonly target: string | undefined
  readonly isType: boolean
}

type Sources = ReadonlyMap<string, string>

function wrongArrows(sources: Sources): readonly string[] {
  return localImports(sources)
    .filter(({ from, target }) => {
      const [here, there] = [roomOf(from), roomOf(target)]
      return here !== there && !rooms[here]?.includes(there)
    })
    .map(({ from, target }) => `${from} > ${target}`)
}

function strayPackages(sources: Sources): readonly string[] {
  const imports = [...sources].flatMap(([path, text]) => importsOf(path, text))
  return imports
    .filter(({ from, specifier, target, isType }) => {
      if (target !== undefined || specifier.startsWith('node:')) return false
      const known = packages[packageOf(specifier)]
      if (known === undefined) return true
      const allowed = [...known.from, ...(isType ? (known.typesFrom ?? []) : [])]
      return !allowed.some((beginning) => from.startsWith(beginning))
    })
    .map(({ from, specifier }) => `${from} > ${specifier}`)
}

/** Every circle, types included, begun at the file that was met first. */
function circles(sources: Sources): readonly string[] {
  const targets = new Map<string, string[]>()
  for (const { from, target } of localImports(sources)) {
    targets.set(from, [...(targets.get(from) ?? []), target])
  }
  const found: string[] = []
  const settled = new Set<string>()
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' > '))
    if (trail.includes(path) || settled.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
    settled.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return found
}

function localImports(sources: Sources): readonly (Import & { readonly target: string })[] {
  const imports = [...sources].flatMap(([path, text]) => importsOf(path, text))
  return imports.flatMap((one) => (one.target === undefined ? [] : [{ ...one, target: one.target }]))
}

function importsOf(from: string, text: string): readonly Import[] {
  const statements = text.matchAll(/^(?:import|export)\s(?:(type\s)?[^'";]*?\sfrom\s+)?'([^']+)'/gm)
  const atRunTime = text.matchAll(/\bimport\(\s*()'([^']+)'/g)
  return [...statements, ...atRunTime].map(([, type, specifier = '']) => ({
    from,
    specifier,
    target: specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : undefined,
    isType: Boolean(type),
  }))
}

/** The nearest folder that is a room; at the top of src the file's own name: `config` is both. */
function roomOf(path: string): string {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    if (rooms[folder] !== undefined) return folder
  }
  return path.split('/')[0]?.replace(/\.(ts|js)$/, '') ?? ''
}

function packageOf(specifier: string): string {
  const [scope = '', name = ''] = specifier.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}
