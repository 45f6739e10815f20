import { type JsonObject, memberCount } from './json.ts'
import { membersOf, membersWritten } from './json-scan.ts'

/**
 * A JSON object together with its text, as one value, so that the two cannot differ. An object that came over the wire
 * keeps its text; `with` gives another object, whose text is the old one with only the changed members replaced; an
 * object made here (`JsonText.of`) is written when its text is read. Do not change `value` in place: use `with`, or
 * make another by `of`.
 */
export class JsonText<Value extends JsonObject = JsonObject> {
  #value: Value | undefined
  /** Undefined until it is read. */
  #text: string | undefined
  /** The original UTF-8 bytes; undefined if they were not kept. */
  readonly #bytes: Buffer | undefined
  readonly #edited: Edited<Value> | undefined

  /** From the wire: `value` must be what `text` spells, and `bytes` the same text in UTF-8. */
  static read<Value extends JsonObject>(value: Value, text: string, bytes?: Buffer): JsonText<Value> {
    return new JsonText<Value>(value, text, bytes)
  }

  /** From an object made here. */
  static of<Value extends JsonObject>(value: Value): JsonText<Value> {
    return new JsonText<Value>(value, undefined)
  }

  protected constructor(
    value: Value | undefined,
    text: string | undefined,
    bytes?: Buffer,
    edited?: Edited<Value>,
  ) {
    this.#value = value
    this.#text = text
    this.#bytes = bytes
    this.#edited = edited
  }

  get value(): Value {
    this.#value ??= this.build()
    return this.#value
  }

  get text(): string {
    this.#text ??= this.#edited === undefined ? JSON.stringify(this.value) : patched(this.#edited)
    return this.#text
  }

  /** What to send: the original bytes if nothing was changed; encoding a megabyte again takes 0.3 ms. */
  get wire(): string | Buffer {
    return this.#bytes ?? this.text
  }

  /** True if its text came over the wire, whole or in part, so that writing it costs nothing. */
  get isWritten(): boolean {
    return this.#text !== undefined
  }

  /**
   * The object with these members set, and without those that are undefined. The rest of the text stays byte for byte.
   * Returns itself if nothing changes.
   */
  with(edits: Readonly<JsonObject>): JsonText<Value> {
    if (Object.keys(edits).length === 0) return this
    const text = this.#edited?.text ?? this.#text
    if (text === undefined) return JsonText.of(merged(this.value, edits))
    const all = { ...this.#edited?.edits, ...edits }
    return new JsonText<Value>(undefined, undefined, undefined, { text, edits: all, from: this })
  }

  /**
   * The object in a text without repeated keys, at any depth; itself, if it has none. Of a repeated key `value` has the
   * last, and another reader may take the first.
   */
  withoutRepeats(): JsonText<Value> {
    return this.#repeatsKeys ? JsonText.of(this.value) : this
  }

  get #repeatsKeys(): boolean {
    if (this.#edited !== undefined) return this.#edited.from.#repeatsKeys
    return this.#text !== undefined && membersWritten(this.#text) !== memberCount(this.value)
  }

  /** For `JSON.stringify` of an object that contains it. */
  toJSON(): Value {
    return this.value
  }

  /** The same without the bytes, for values that are kept for long. */
  withoutBytes(): JsonText<Value> {
    return this.#bytes === undefined
      ? this
      : new JsonText<Value>(this.#value, this.#text, undefined, this.#edited)
  }

  /** The value, parsed when it is first read. */
  protected build(): Value {
    if (this.#edited === undefined) return JSON.parse(this.text) as Value
    return merged(this.#edited.from.value, this.#edited.edits)
  }
}

/** A text, and the new values of its members: undefined removes one. */
type Edited<Value extends JsonObject> = {
  readonly text: string
  readonly edits: Readonly<JsonObject>
  readonly from: JsonText<Value>
}

function merged<Value extends JsonObject>(value: Value, edits: Readonly<JsonObject>): Value {
  const result: JsonObject = { ...value, ...edits }
  for (const key of Object.keys(edits)) if (edits[key] === undefined) delete result[key]
  return result as Value
}

/** Members are replaced in place, under every spelling of their key, or appended. */
function patched({ text, edits }: Pick<Edited<JsonObject>, 'text' | 'edits'>): string {
  const { members, end } = membersOf(text)
  const missing = new Set(Object.keys(edits).filter((key) => edits[key] !== undefined))
  let written = ''
  let kept = 0
  let isEmpty = true
  members.forEach(({ start, key, valueStart, valueEnd }, index) => {
    if (Object.hasOwn(edits, key) && edits[key] === undefined) {
      // With the comma after it or, for the last member, the one before it.
      const next = members[index + 1]
      written += text.slice(kept, start)
      kept = next === undefined ? valueEnd : next.start
      if (next === undefined) written = withoutComma(written)
      return
    }
    isEmpty = false
    if (!Object.hasOwn(edits, key)) return
    written += text.slice(kept, valueStart) + JSON.stringify(edits[key])
    kept = valueEnd
    missing.delete(key)
  })
  const added = Array.from(missing, (key) => `${JSON.stringify(key)}:${JSON.stringify(edits[key])}`).join(',')
  const glue = added === '' || isEmpty ? '' : ','
  return written + text.slice(kept, end) + glue + added + text.slice(end)
}

function withoutComma(written: string): string {
  const end = written.trimEnd()
  return end.endsWith(',') ? end.slice(0, -1) : written
}
