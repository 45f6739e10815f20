import type { Chunk, Delta } from '../model/call.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Normalizer } from './normalize.ts'

/**
 * The answer under the model's public name, if the deployment has another. `note` is called once with the upstream's
 * name.
 */
export function withModelName(normalizer: Normalizer, name: string, note: (own: string) => void): Normalizer {
  const renamer = new Renamer(name, note)
  return {
    accept: (burst) => normalizer.accept(burst).map(renamer.rename),
    finish: (ending) => normalizer.finish(ending).map(renamer.rename),
    isFinished: () => normalizer.isFinished(),
    usage: () => normalizer.usage(),
  }
}

class Renamer {
  readonly #name: string
  readonly #quoted: string
  readonly #note: (own: string) => void
  /** The upstream's name as its chunks spell it, and its position: the same in nearly all chunks of a stream. */
  #own: string | undefined
  #start = 0

  constructor(name: string, note: (own: string) => void) {
    this.#name = name
    this.#quoted = JSON.stringify(name)
    this.#note = note
  }

  readonly rename = (delta: Delta): Delta => {
    const own = this.#own
    if (own === this.#quoted) return delta
    if (own !== undefined && delta.word !== undefined) {
      const renamed = this.#spliced(delta, delta.word, own)
      if (renamed !== undefined) return renamed
    }
    const { model } = delta.value
    if (own === undefined && model !== this.#name) this.#note(model)
    this.#own = JSON.stringify(model)
    return model === this.#name ? delta : (delta.with({ model: this.#name }) as Delta)
  }

  /** Cheap for a chunk of a stream: its text is spliced, not parsed. */
  #spliced(delta: Delta, word: string, own: string): Delta | undefined {
    const { text } = delta
    if (!text.startsWith(own, this.#start)) {
      const place = /"model"\s*:\s*/.exec(text)
      if (place === null || !text.startsWith(own, place.index + place[0].length)) return undefined
      this.#start = place.index + place[0].length
    }
    const renamed = text.slice(0, this.#start) + this.#quoted + text.slice(this.#start + own.length)
    return new RenamedWord(delta, word, renamed, this.#name)
  }
}

/** A delta with one more word; its value is built only when it is read. */
class RenamedWord extends JsonText<Chunk> {
  readonly word: string
  readonly #delta: Delta
  readonly #name: string

  constructor(delta: Delta, word: string, text: string, name: string) {
    super(undefined, text)
    this.word = word
    this.#delta = delta
    this.#name = name
  }

  protected override build(): Chunk {
    return { ...this.#delta.value, model: this.#name }
  }
}
