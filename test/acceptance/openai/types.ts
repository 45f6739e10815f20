import { readDeclarations, resolve, type Scope, type Type } from '../declarations.ts'

/**
 * Holds what was received to the types of OpenAI's own client, which are generated from the OpenAPI document that
 * OpenAI publishes. The document itself is in no package that could be had; these carry its components with their
 * required members, nulls, unions and enumerations, though not its bounds.
 */
export type TypeName = keyof typeof homes

/** What is wrong with a value; none where nothing is. Members that the type does not have are no fault. */
export function faultsOf(name: TypeName, value: unknown): readonly string[] {
  const found: Fault[] = []
  check(value, { kind: 'name', name, scope: readDeclarations(homeOf(name)) }, '', found)
  return found
    .filter(
      ({ path, what }) =>
        !knownErrors.some((known) => known.type === name && known.at.test(`${path} ${what}`)),
    )
    .map(({ path, what }) => `${name}${path}: ${what}`)
}

/** Where the types say what OpenAI's own servers, and everybody's clients, do not hold to. */
export const knownErrors: readonly KnownError[] = [
  {
    type: 'Completion',
    at: /^\.choices\[\d+\]\.finish_reason null/,
    why: 'The same type stands for the chunks of a stream, where it is null until the end.',
  },
  {
    type: 'Completion',
    at: /^\.usage null/,
    why: 'A stream that ends with the usage has null in every chunk before.',
  },
  {
    type: 'Completion',
    at: /^\.choices\[\d+\]\.logprobs\.(?:token_logprobs\[0\]|top_logprobs(?:\[0\])?) null/,
    why: 'The first token of an echoed prompt has no probability; without alternatives there is no list of them.',
  },
  {
    type: 'ChatCompletion',
    at: /^\.choices\[\d+\]\.(?:message\.refusal|logprobs) missing/,
    why: 'OpenAI says null; other servers leave it out, which no client minds, and what they say is passed on as it is.',
  },
  {
    type: 'CreateEmbeddingResponse',
    at: /^\.data\[\d+\]\.embedding "[A-Za-z0-9+/=]*"? is not an array/,
    why: 'A caller may ask for base64, and this client does unasked.',
  },
  ...responseErrors('Response', ''),
  ...responseErrors('ResponseStreamEvent', '\\.response'),
]

export type KnownError = {
  readonly type: TypeName
  /** What it matches is the path of the fault and what is wrong there. */
  readonly at: RegExp
  readonly why: string
}

function responseErrors(type: TypeName, at: string): readonly KnownError[] {
  return [
    {
      type,
      at: new RegExp(`^${at}\\.output_text missing`),
      why: 'The client makes it out of the output: it does not go over the wire.',
    },
    {
      type,
      at: new RegExp(`^${at}\\.(?:usage|user) null`),
      why: 'In the examples of the same document they are null: the usage until the end, the user where none is named.',
    },
  ]
}

const resources = new URL('../../../node_modules/openai/resources/', import.meta.url)

const homes = {
  Completion: 'completions.d.ts',
  ChatCompletion: 'chat/completions/completions.d.ts',
  ChatCompletionChunk: 'chat/completions/completions.d.ts',
  CreateEmbeddingResponse: 'embeddings.d.ts',
  Model: 'models.d.ts',
  ErrorObject: 'shared.d.ts',
  Response: 'responses/responses.d.ts',
  ResponseStreamEvent: 'responses/responses.d.ts',
} as const

type Fault = { readonly path: string; readonly what: string }

function homeOf(name: TypeName): URL {
  return new URL(homes[name], resources)
}

function check(value: unknown, type: Type, path: string, found: Fault[]): void {
  switch (type.kind) {
    case 'anything':
      return
    case 'name':
      check(value, resolve(type.name, type.scope), path, found)
      return
    case 'primitive':
      if (type.name === 'null' ? value !== null : typeof value !== type.name)
        found.push(unlike(value, type.name, path))
      return
    case 'literal':
      if (value !== type.value) found.push(unlike(value, JSON.stringify(type.value), path))
      return
    case 'array':
      if (!Array.isArray(value)) found.push(unlike(value, 'an array', path))
      else for (const [at, each] of value.entries()) check(each, type.of, `${path}[${at}]`, found)
      return
    case 'record':
      if (!isRecord(value)) found.push(unlike(value, 'an object', path))
      else for (const [name, each] of Object.entries(value)) check(each, type.of, `${path}.${name}`, found)
      return
    case 'both':
      for (const each of type.of) check(value, each, path, found)
      return
    case 'object':
      checkMembers(value, type, path, found)
      return
    case 'union':
      checkUnion(value, type.of, path, found)
  }
}

function checkMembers(
  value: unknown,
  { members }: Extract<Type, { kind: 'object' }>,
  path: string,
  found: Fault[],
): void {
  if (!isRecord(value)) {
    // `(string & {})` is any string.
    if (members.length > 0) found.push(unlike(value, 'an object', path))
    return
  }
  for (const { name, isOptional, type } of members) {
    if (Object.hasOwn(value, name)) check(value[name], type, `${path}.${name}`, found)
    else if (!isOptional) found.push({ path: `${path}.${name}`, what: 'missing' })
  }
}

/** Of a union of objects that each tell their `type`, the one that is meant is what the value is held to. */
function checkUnion(value: unknown, types: readonly Type[], path: string, found: Fault[]): void {
  const known = types.flatMap(flattened)
  const meant = isRecord(value) ? known.filter((type) => tells(type, value['type'])) : []
  let fewest: readonly Fault[] | undefined
  for (const type of meant.length > 0 ? meant : known) {
    const faults: Fault[] = []
    check(value, type, path, faults)
    if (faults.length === 0) return
    if (fewest === undefined || faults.length < fewest.length) fewest = faults
  }
  const isUnknown =
    isRecord(value) && meant.length === 0 && known.some(({ kind }) => kind === 'object') && 'type' in value
  const isNone = isUnknown || (fewest?.every((fault) => fault.path === path) ?? true)
  if (isNone) found.push({ path, what: `${JSON.stringify(value)?.slice(0, 80)} is none of its types` })
  else found.push(...(fewest ?? []))
}

function flattened(type: Type): readonly Type[] {
  if (type.kind === 'name') return flattened(resolve(type.name, type.scope))
  return type.kind === 'union' ? type.of.flatMap(flattened) : [type]
}

function tells(type: Type, said: unknown): boolean {
  if (type.kind === 'both') return type.of.some((each) => flattened(each).some((one) => tells(one, said)))
  if (type.kind !== 'object') return false
  const told = type.members.find(({ name }) => name === 'type')
  return (
    told !== undefined && flattened(told.type).some((each) => each.kind === 'literal' && each.value === said)
  )
}

function unlike(value: unknown, expected: string, path: string): Fault {
  const given = value === null ? 'null' : (JSON.stringify(value) ?? 'undefined').slice(0, 80)
  return { path, what: `${given} is not ${expected}` }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** For a test that all of them can be read. */
export const typeNames: readonly TypeName[] = Object.keys(homes) as TypeName[]

export type { Scope }
