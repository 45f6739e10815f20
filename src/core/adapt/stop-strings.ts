import type { Choice, Delta } from '../model/call.ts'
import { isObject, type JsonObject, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'

/**
 * Ends each choice of an answer at a stop string, whether or not its upstream does. A possible beginning of one is held
 * back until it is decided; everything else passes through unchanged.
 */
export interface StopCutter {
  accept(deltas: readonly Delta[]): readonly Delta[]
  /** Every choice has ended, at least one of them here: the upstream may still be generating. */
  isOver(): boolean
}

export type StopParts = {
  readonly stops: readonly string[]
  /** How many choices there will be. */
  readonly wanted: number
  /** How many characters of a text choice are echoed prompt, by index: no stop string in those counts. */
  readonly echoed: (index: number) => number
}

export function createStopCutter({ stops, wanted, echoed }: StopParts): StopCutter {
  const lines = new Map<number, Line>()
  const lineOf = (choice: Choice): Line => {
    let line = lines.get(choice.index)
    if (line === undefined) {
      const skipped = choice.text === undefined ? 0 : echoed(choice.index)
      line = { held: [], text: '', skipped, isCut: false, isOver: false }
      lines.set(choice.index, line)
    }
    return line
  }
  return {
    accept(deltas) {
      const seen: Delta[] = []
      for (const delta of deltas) {
        const { choices } = delta.value
        const [only] = choices
        if (choices.length === 1 && only !== undefined) pass(delta, only, lineOf(only), stops, seen)
        else if (choices.every((choice) => isAtOnce(choice, lineOf(choice)))) {
          seen.push(cutAll(delta, lineOf, stops))
        } else for (const choice of choices) pass(alone(delta, choice), choice, lineOf(choice), stops, seen)
      }
      return seen
    },
    isOver() {
      const all = [...lines.values()]
      return all.length >= wanted && all.every(({ isOver }) => isOver) && all.some(({ isCut }) => isCut)
    },
  }
}

/** One choice: the deltas held back, and their text. */
type Line = {
  readonly held: Held[]
  text: string
  /** Characters of the prompt's echo that are still to come, or held. */
  skipped: number
  isCut: boolean
  isOver: boolean
}

type Held = { readonly delta: Delta; readonly choice: Choice; readonly length: number }

type Found = { readonly at: number; readonly stop: string }

/** A choice of a JSON reply arrives in one piece. */
function isAtOnce({ finish_reason: reason }: Choice, { held, isOver }: Line): boolean {
  return reason !== null && held.length === 0 && !isOver
}

function pass(delta: Delta, choice: Choice, line: Line, stops: readonly string[], seen: Delta[]): void {
  if (line.isCut) return
  line.held.push({ delta, choice, length: textOf(choice).length })
  line.text += textOf(choice)
  const found = firstStop(line.text, stops, line.skipped)
  if (found !== undefined) {
    line.isCut = true
    line.isOver = true
    seen.push(...cutHeld(line, found))
    return
  }
  line.isOver = choice.finish_reason !== null
  seen.push(...release(line, line.isOver ? line.text.length : safeLength(line, stops)))
}

/** Several whole choices; the delta itself if none contains a stop string. */
function cutAll(delta: Delta, lineOf: (choice: Choice) => Line, stops: readonly string[]): Delta {
  const { value: chunk } = delta
  const choices = chunk.choices.map((choice) => {
    const line = lineOf(choice)
    const found = firstStop(textOf(choice), stops, line.skipped)
    line.isOver = true
    line.isCut = found !== undefined
    return found === undefined ? choice : shortened(choice, found.at, found.stop)
  })
  if (choices.every((choice, at) => choice === chunk.choices[at])) return delta
  return JsonText.of({ ...chunk, choices })
}

function alone({ value: chunk }: Delta, choice: Choice): Delta {
  return JsonText.of({ ...chunk, choices: [choice] })
}

function textOf({ text, delta, message }: Choice): string {
  return text ?? (delta ?? message)?.content ?? ''
}

/** The earliest match; of matches at the same place the shortest, which was complete first. */
function firstStop(text: string, stops: readonly string[], from: number): Found | undefined {
  let found: Found | undefined
  for (const stop of stops) {
    const at = text.indexOf(stop, from)
    if (at === -1) continue
    const isSooner =
      found === undefined || at < found.at || (at === found.at && stop.length < found.stop.length)
    if (isSooner) found = { at, stop }
  }
  return found
}

/** How much of the text can no longer be part of a stop string. */
function safeLength({ text, skipped }: Line, stops: readonly string[]): number {
  let safe = text.length
  for (const stop of stops) {
    const first = Math.max(skipped, text.length - stop.length + 1)
    for (let at = first; at < safe; at++) {
      if (stop.startsWith(text.slice(at))) safe = at
    }
  }
  return safe
}

/** The held deltas, up to `length` characters of text. */
function release(line: Line, length: number): readonly Delta[] {
  let end = 0
  let count = 0
  for (const held of line.held) {
    if (end + held.length > length) break
    end += held.length
    count++
  }
  line.text = line.text.slice(end)
  line.skipped = Math.max(0, line.skipped - end)
  const released = line.held.splice(0, count)
  // The last one held is the current one.
  const onTime = line.held.length === 0 ? count - 1 : count
  return released.map(({ delta }, at) => (at < onTime ? delayed(delta) : delta))
}

/** A held delta: other choices may have continued meanwhile, so it is rendered without its word shortcut. */
function delayed(delta: Delta): Delta {
  return delta.word === undefined ? delta : JsonText.read(delta.value, delta.text)
}

function cutHeld(line: Line, { at, stop }: Found): readonly Delta[] {
  const seen: Delta[] = []
  let end = 0
  for (const { delta, choice, length } of line.held.splice(0)) {
    const left = at - end
    end += length
    if (end < at) {
      seen.push(delayed(delta))
      continue
    }
    seen.push(alone(delta, shortened(choice, left, stop)))
    break
  }
  line.text = ''
  return seen
}

/** The choice with its text cut to this length, ended by that stop string, which is reported like vLLM does. */
function shortened(choice: Choice, length: number, stop: string): Choice {
  const text = textOf(choice).slice(0, length)
  const { logprobs } = choice
  const ended: Choice = { ...choice, finish_reason: 'stop', stop_reason: stop }
  if (isObject(logprobs)) ended.logprobs = shortenedLogprobs(logprobs, text.length)
  if (choice.text !== undefined) ended.text = text
  else if (choice.message !== undefined) ended.message = { ...choice.message, content: text }
  else ended.delta = { ...choice.delta, content: text }
  return ended
}

/** The tokens that begin within the remaining text. */
function shortenedLogprobs(logprobs: JsonObject, length: number): JsonObject {
  const { tokens, content } = logprobs
  const names = Array.isArray(tokens) ? tokens : Array.isArray(content) ? content.map(nameOf) : []
  let end = 0
  let count = 0
  for (const name of names) {
    if (end >= length) break
    end += spell(name).length
    count++
  }
  const fields = Object.entries(logprobs).map(([field, values]) => {
    const isByToken = Array.isArray(values) && values.length === names.length
    return [field, isByToken ? values.slice(0, count) : values] as const
  })
  return Object.fromEntries(fields)
}

function nameOf(token: unknown): unknown {
  return isObject(token) ? token['token'] : token
}
