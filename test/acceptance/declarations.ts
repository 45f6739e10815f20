import { readFileSync } from 'node:fs'

/** A type as a declaration file writes it down, as far as it says anything of JSON. */
export type Type =
  | { readonly kind: 'anything' }
  | { readonly kind: 'primitive'; readonly name: 'string' | 'number' | 'boolean' | 'null' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'array'; readonly of: Type }
  | { readonly kind: 'record'; readonly of: Type }
  | { readonly kind: 'union'; readonly of: readonly Type[] }
  | { readonly kind: 'both'; readonly of: readonly Type[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
  | { readonly kind: 'name'; readonly name: string; readonly scope: Scope }

export type Member = { readonly name: string; readonly isOptional: boolean; readonly type: Type }

/** What names stand for, inside a file or a namespace of it. */
export type Scope = {
  readonly outer: Scope | undefined
  readonly types: Map<string, Type>
  readonly inner: Map<string, Scope>
  /** Another file, or one name of it. */
  readonly imports: Map<string, { readonly file: URL; readonly name: string | undefined }>
}

/**
 * Reads a declaration file of the plain sort that generators write: interfaces, aliases and namespaces of them.
 * Classes and functions are skipped; what is imported from other such files is read when it is asked for.
 */
export function readDeclarations(file: URL): Scope {
  const known = files.get(file.href)
  if (known !== undefined) return known
  const scope = newScope(undefined)
  files.set(file.href, scope)
  const reader = new Reader(tokensOf(readFileSync(file, 'utf8')), file)
  reader.block(scope)
  return scope
}

/** The type that a name stands for: not a name itself. Throws where there is none. */
export function resolve(name: string, scope: Scope): Type {
  const path = name.split('.')
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const found = within(path, at)
    if (found !== undefined) return found.kind === 'name' ? resolve(found.name, found.scope) : found
  }
  throw new Error(`no type ${name}`)
}

function within([first = '', ...rest]: readonly string[], scope: Scope): Type | undefined {
  const imported = scope.imports.get(first)
  if (imported !== undefined) {
    const path = imported.name === undefined ? rest : [imported.name, ...rest]
    return within(path, readDeclarations(imported.file))
  }
  if (rest.length === 0) return scope.types.get(first)
  const inner = scope.inner.get(first)
  return inner === undefined ? undefined : within(rest, inner)
}

/** What is read once is read for all tests of a file. */
const files = new Map<string, Scope>()

const anything: Type = { kind: 'anything' }

function newScope(outer: Scope | undefined): Scope {
  return { outer, types: new Map(), inner: new Map(), imports: new Map() }
}

function tokensOf(text: string): readonly string[] {
  const bare = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return bare.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[\w$]+|=>|[^\s]/g) ?? []
}

class Reader {
  readonly #tokens: readonly string[]
  readonly #file: URL
  #at = 0

  constructor(tokens: readonly string[], file: URL) {
    this.#tokens = tokens
    this.#file = file
  }

  /** Declarations up to the end, or the brace that closes them. */
  block(scope: Scope): void {
    while (this.#peek() !== undefined && !this.#take('}')) this.#declaration(scope)
  }

  #declaration(scope: Scope): void {
    while (this.#take('export') || this.#take('declare')) {
      // A search for a name starts from its import.
    }
    const word = this.#next()
    if (word === 'import') this.#import(scope)
    else if (word === 'interface') this.#interface(scope)
    else if (word === 'namespace') {
      const inner = newScope(scope)
      scope.inner.set(this.#next(), inner)
      this.#expect('{')
      this.block(inner)
    } else if (word === 'type' && /^\w+$/.test(this.#peek() ?? '')) {
      const name = this.#next()
      const isGeneric = this.#peek() === '<'
      if (isGeneric) this.#skipTo('=')
      else this.#expect('=')
      const type = this.#type(scope)
      scope.types.set(name, isGeneric ? anything : type)
      this.#take(';')
    } else {
      this.#at--
      this.#skipStatement()
    }
  }

  #import({ imports }: Scope): void {
    const names: string[] = []
    while (this.#peek() !== 'from' && this.#peek() !== ';') names.push(this.#next())
    const path = this.#take('from') ? this.#next().slice(1, -1) : ''
    this.#take(';')
    // Packages have nothing to do with what goes over the wire.
    if (!path.startsWith('.')) return
    const file = new URL(path.replace(/\.js$/, '.d.ts'), this.#file)
    if (names[0] === '*') imports.set(names[2] ?? '', { file, name: undefined })
    else
      for (const name of names) if (/^\w+$/.test(name) && name !== 'type') imports.set(name, { file, name })
  }

  #interface(scope: Scope): void {
    const name = this.#next()
    const bases: Type[] = []
    if (this.#peek() === '<') this.#skipTo('{', true)
    if (this.#take('extends')) {
      do bases.push(this.#single(scope))
      while (this.#take(','))
    }
    this.#expect('{')
    const own = this.#members(scope)
    scope.types.set(name, bases.length === 0 ? own : { kind: 'both', of: [...bases, own] })
  }

  /** After the brace. */
  #members(scope: Scope): Type {
    const members: Member[] = []
    let record: Type | undefined
    while (!this.#take('}')) {
      this.#take('readonly')
      if (this.#take('[')) {
        this.#skipTo(']')
        this.#expect(':')
        record = { kind: 'record', of: this.#type(scope) }
      } else {
        const name = this.#next().replace(/^['"]|['"]$/g, '')
        const isOptional = this.#take('?')
        if (this.#peek() === '(' || this.#peek() === '<') this.#skipStatement()
        else {
          this.#expect(':')
          members.push({ name, isOptional, type: this.#type(scope) })
        }
      }
      this.#take(';')
    }
    if (record !== undefined && members.length === 0) return record
    return { kind: 'object', members }
  }

  #type(scope: Scope): Type {
    this.#take('|')
    const types = [this.#both(scope)]
    while (this.#take('|')) types.push(this.#both(scope))
    const [only] = types
    return types.length === 1 && only !== undefined ? only : { kind: 'union', of: types }
  }

  #both(scope: Scope): Type {
    const types = [this.#single(scope)]
    while (this.#take('&')) types.push(this.#single(scope))
    const [only] = types
    return types.length === 1 && only !== undefined ? only : { kind: 'both', of: types }
  }

  #single(scope: Scope): Type {
    let type = this.#atom(scope)
    while (this.#peek() === '[' && this.#tokens[this.#at + 1] === ']') {
      this.#at += 2
      type = { kind: 'array', of: type }
    }
    return type
  }

  #atom(scope: Scope): Type {
    const token = this.#next()
    if (token === '{') return this.#members(scope)
    if (token === '(') {
      const type = this.#type(scope)
      this.#expect(')')
      return type
    }
    if (/^['"]/.test(token)) return { kind: 'literal', value: token.slice(1, -1) }
    if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) }
    if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' }
    if (token === 'string' || token === 'number' || token === 'boolean' || token === 'null') {
      return { kind: 'primitive', name: token }
    }
    if (token === 'unknown' || token === 'any' || token === 'undefined') return anything
    if (!/^\w/.test(token)) throw new Error(`${this.#file.pathname}: a type that begins with ${token}`)
    let name = token
    while (this.#take('.')) name += `.${this.#next()}`
    return this.#take('<') ? this.#generic(name, scope) : { kind: 'name', name, scope }
  }

  #generic(name: string, scope: Scope): Type {
    const given = [this.#type(scope)]
    while (this.#take(',')) given.push(this.#type(scope))
    this.#expect('>')
    if (name === 'Array') return { kind: 'array', of: given[0] ?? anything }
    return name === 'Record' ? { kind: 'record', of: given[1] ?? anything } : anything
  }

  #skipStatement(): void {
    let depth = 0
    while (this.#peek() !== undefined) {
      if (depth === 0 && this.#peek() === '}') return
      const token = this.#next()
      if (token === '{' || token === '(') depth++
      else if (token === '}' || token === ')') depth--
      if (depth === 0 && (token === ';' || token === '}')) return
    }
  }

  #skipTo(end: string, isKept = false): void {
    while (this.#peek() !== undefined && this.#peek() !== end) this.#at++
    if (!isKept) this.#expect(end)
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#at++
    return true
  }

  #expect(token: string): void {
    if (!this.#take(token)) {
      const around = this.#tokens.slice(this.#at - 5, this.#at + 5).join(' ')
      throw new Error(`${this.#file.pathname}: expected ${token} in: ${around}`)
    }
  }
}
