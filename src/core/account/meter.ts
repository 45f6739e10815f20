import type { Call, Choice, Delta } from '../model/call.ts'
import { isObject } from '../model/json/json.ts'
import type { TokenCounter } from '../model/ports.ts'
import type { Usage } from '../model/terms.ts'
import { type ClaimedUsage, writeUsage } from '../model/usage/usage.ts'
import { promptSizeOf, tokensIn, wholeTokens } from './prompt-size.ts'

/** Follows one answer, so that its tokens can be counted if the upstream does not report them. */
export interface Meter {
  note(deltas: readonly Delta[]): void
  /** The upstream's counts, plus estimates of those it left out. Nothing is tokenized if nothing is missing. */
  settle(claimed: ClaimedUsage | undefined): MeteredUsage | Promise<MeteredUsage>
  /** The settled usage; before that, an estimate from the characters and pieces so far, without tokenizing. */
  estimate(): MeteredUsage
}

export type MeteredUsage = { readonly usage: Usage; readonly estimated: boolean }

export function createMeter(call: Call, counter: TokenCounter): Meter {
  return new AnswerMeter(call, counter)
}

/** A class, not a closure: one per call, so that its methods live on the prototype. */
class AnswerMeter implements Meter {
  readonly #call: Call
  readonly #counter: TokenCounter
  /**
   * The beginning of the generated text, concatenated by V8 when it is read. Counts of longer texts are scaled up from
   * it.
   */
  #text = ''
  /** The length of the whole text. */
  #length = 0
  /** How many pieces of text it came in: each is at least one token. */
  #pieces = 0
  readonly #keptLength: number
  #settled: MeteredUsage | undefined

  constructor(call: Call, counter: TokenCounter) {
    this.#call = call
    this.#counter = counter
    this.#keptLength = keptCharacters + echoedPrompt(call).length
  }

  note(deltas: readonly Delta[]): void {
    for (const delta of deltas) {
      if (delta.word !== undefined) this.#append(delta.word)
      else for (const choice of delta.value.choices) this.#append(textOfChoice(choice))
    }
  }

  #append(text: string): void {
    this.#length += text.length
    if (text !== '') this.#pieces++
    if (this.#text.length < this.#keptLength) this.#text += text
  }

  /** The kept beginning of the generated text, and the factor to scale its count to the whole. */
  #generated(): { readonly text: string; readonly times: number } {
    const text = completionText(this.#call, this.#text)
    const left = this.#length - this.#text.length
    return { text, times: text === '' ? 1 : (text.length + left) / text.length }
  }

  settle(claimed: ClaimedUsage | undefined): MeteredUsage | Promise<MeteredUsage> {
    if (claimed?.promptTokens === undefined || claimed.completionTokens === undefined) {
      return this.#count(claimed)
    }
    const usage = writeUsage(claimed.raw, claimed.promptTokens, claimed.completionTokens)
    this.#settled = { usage, estimated: false }
    return this.#settled
  }

  async #count(claimed: ClaimedUsage | undefined): Promise<MeteredUsage> {
    const count = (text: string) => this.#counter.count(text)
    const promptTokens = claimed?.promptTokens ?? (await count(promptText(this.#call)))
    const { text, times } = this.#generated()
    const completionTokens = claimed?.completionTokens ?? wholeTokens((await count(text)) * times)
    const usage = writeUsage(claimed?.raw ?? {}, promptTokens, completionTokens)
    this.#settled = { usage, estimated: true }
    return this.#settled
  }

  estimate(): MeteredUsage {
    if (this.#settled !== undefined) return this.#settled
    const { exactTokens, textTokens } = promptSizeOf(this.#call)
    const promptTokens = wholeTokens(exactTokens + textTokens)
    const { text, times } = this.#generated()
    const pieces = echoedPrompt(this.#call) === '' ? this.#pieces : 0
    const completionTokens = Math.max(pieces, wholeTokens(tokensIn(text) * times))
    return { usage: writeUsage({}, promptTokens, completionTokens), estimated: true }
  }
}

function textOfChoice(choice: Choice): string {
  const message = choice.delta ?? choice.message
  if (message === undefined) return choice.text ?? ''
  const { content, reasoning_content: reasoning, refusal, tool_calls: calls, function_call: called } = message
  let text = textIn(reasoning) + textIn(content) + textIn(refusal)
  if (calls !== undefined) for (const call of calls) text += callText(call.function)
  return called === undefined ? text : text + callText(called)
}

function callText(called: unknown): string {
  return isObject(called) ? textIn(called['name']) + textIn(called['arguments']) : ''
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Longer than nearly every answer. For longer ones only the beginning is counted. */
const keptCharacters = 256 * 1024

/** An echoed prompt was not generated. */
function completionText(call: Call, text: string): string {
  const prompt = echoedPrompt(call)
  return prompt !== '' && text.startsWith(prompt) ? text.slice(prompt.length) : text
}

function echoedPrompt({ body }: Call): string {
  const { prompt, echo } = body.value
  return echo === true && typeof prompt === 'string' ? prompt : ''
}

/** The text of a prompt, without the template that an upstream adds. */
function promptText({ kind, body: { value: body } }: Call): string {
  if (kind === 'text') return textOf(body['prompt'])
  const messages = body['messages']
  return Array.isArray(messages) ? messages.map(messageText).join('\n') : ''
}

function messageText(message: unknown): string {
  return isObject(message) ? textOf(message['content']) : ''
}

/** Each token id counts as one short word: its text is unknown here. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return ' a'
  if (Array.isArray(value)) return value.map(textOf).join('')
  if (isObject(value) && typeof value['text'] === 'string') return value['text']
  return ''
}
