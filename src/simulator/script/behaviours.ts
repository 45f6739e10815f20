const prefix = 'sim-'

/**
 * The behaviours of a simulated model. Its name is `sim-` followed by behaviours, joined by hyphens:
 * `sim-slow-200-echo`. The documentation's table and the list of models are generated from this list.
 */
export const behaviours = [
  { name: 'echo', does: 'repeats the prompt (of a chat, the last user message) word for word' },
  { name: 'long', takes: { unit: 'N', least: 0, most: 100_000, example: 500 }, does: 'answers with N words' },
  { name: 'length', does: 'answers until max_tokens (default 16) is reached' },
  {
    name: 'slow',
    takes: { unit: 'MS', least: 0, most: 600_000, example: 2000 },
    does: 'waits MS milliseconds before the first byte',
  },
  {
    name: 'drip',
    takes: { unit: 'MS', least: 0, most: 600_000, example: 50 },
    does: 'waits MS milliseconds between the words of its answer',
  },
  {
    name: 'status',
    takes: { unit: 'CODE', least: 400, most: 599, example: 503 },
    does: 'fails with HTTP status CODE',
  },
  {
    name: 'ratelimit',
    takes: { unit: 'S', least: 0, most: 3600, example: 2 },
    does: 'fails with 429 and a Retry-After of S seconds',
  },
  {
    name: 'flaky',
    takes: { unit: 'N', least: 0, most: 100, example: 1 },
    does: 'fails with 503 for the first N requests with the same prompt, then answers it and starts again',
  },
  {
    name: 'cut',
    takes: { unit: 'N', least: 0, most: 100_000, example: 5 },
    does: 'closes the connection after N words, always before the end',
  },
  {
    name: 'stall',
    takes: { unit: 'N', least: 0, most: 100_000, example: 5 },
    does: 'sends nothing more after N words, and keeps the connection open; 0 is before the first byte',
  },
  { name: 'reset', does: 'resets the connection before the first byte' },
  { name: 'badjson', does: 'answers 200 with truncated JSON' },
  { name: 'html', does: 'answers 200 with an HTML page' },
  { name: 'empty', does: 'answers 200 with {}' },
  { name: 'nousage', does: 'answers without token counts' },
  { name: 'usage-weird', does: 'answers with counts that are negative, too large or not a number' },
  { name: 'extra', does: 'answers with the extra keys "region" and "queue_ms"' },
  { name: 'reasoning', does: 'sends reasoning_content before the answer of a chat' },
  {
    name: 'ragged',
    does: 'sends the events of a stream byte by byte, with CRLF, comments and no final blank line',
  },
  {
    name: 'tools',
    does: 'calls the tool that tool_choice names, or the first one, if the request has tools',
  },
] as const satisfies readonly Behaviour[]

export type BehaviourName = (typeof behaviours)[number]['name']

export type Behaviour = {
  readonly name: string
  /** The integer after the name: its placeholder in the documentation, its bounds, and an example. */
  readonly takes?: {
    readonly unit: string
    readonly least: number
    readonly most: number
    readonly example: number
  }
  readonly does: string
}

/** The pattern of a behaviour's name in the documentation: `sim-slow-MS`. */
export function patternOf({ name, takes }: Behaviour): string {
  return takes === undefined ? `sim-${name}` : `sim-${name}-${takes.unit}`
}

/** An example name for each behaviour: `sim-slow-2000`. */
export const knownModels: readonly string[] = behaviours.map(exampleOf)

/** The behaviours in a name, each with its number (0 if it has none), or an error. */
export type ParsedName =
  | { readonly traits: ReadonlyMap<BehaviourName, number>; readonly fault: undefined }
  | { readonly traits: undefined; readonly fault: string }

/**
 * Parses a model's name. A name without the prefix `sim-` has no behaviours. If a behaviour is repeated, the last one
 * counts.
 */
export function parseName(model: string): ParsedName {
  const traits = new Map<BehaviourName, number>()
  if (!model.startsWith(prefix)) return { traits, fault: undefined }
  const words = model.slice(prefix.length).split('-')
  let at = 0
  while (at < words.length) {
    const behaviour = behaviourAt(words, at)
    if (behaviour === undefined) return unknownName(model)
    at += behaviour.name.split('-').length
    if (!('takes' in behaviour)) {
      traits.set(behaviour.name, 0)
      continue
    }
    const number = words[at++] ?? ''
    const { least, most } = behaviour.takes
    if (!/^\d{1,9}$/.test(number) || Number(number) < least || Number(number) > most) {
      const fault = `${quoted(model)} does not exist: ${patternOf(behaviour)} takes a number from ${least} to ${most}.`
      return { traits: undefined, fault }
    }
    traits.set(behaviour.name, Number(number))
  }
  return { traits, fault: undefined }
}

function behaviourAt(words: readonly string[], at: number): (typeof behaviours)[number] | undefined {
  const one = words[at]
  const two = `${one}-${words[at + 1]}`
  return behaviours.find(({ name }) => name === one || name === two)
}

/** The message is short, because a gateway in between may truncate it. */
function unknownName(model: string): ParsedName {
  const known = behaviours.map((behaviour) => patternOf(behaviour).slice(prefix.length)).join(', ')
  return {
    traits: undefined,
    fault: `${quoted(model)} does not exist. Known behaviours after ${prefix} are: ${known}.`,
  }
}

function quoted(model: string): string {
  return `The model '${model.length > 40 ? `${model.slice(0, 40)}...` : model}'`
}

function exampleOf({ name, takes }: Behaviour): string {
  return takes === undefined ? `${prefix}${name}` : `${prefix}${name}-${takes.example}`
}
