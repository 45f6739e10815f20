import type { JsonObject } from '../../core/model/json/json.ts'
import type { ItemParts } from './item.ts'

/** Kinds of text: the answer, a refusal, reasoning, or reasoning that is written as a summary. */
export type TextItemKind = 'text' | 'refusal' | 'reasoning' | 'summary'

/** A message or reasoning, as an output item of a response. */
export interface TextItem {
  readonly type: 'text'
  readonly isThought: boolean
  add(kind: TextItemKind, piece: string, logprobs: unknown): void
  /** Sends buffered deltas. Always true. */
  advance(): true
  /** Sends the events that end the item. */
  end(isCutShort: boolean): void
}

export function createTextItem(first: TextItemKind, { stem, send, place }: ItemParts): TextItem {
  const isThought = first === 'reasoning' || first === 'summary'
  const pieces: Piece[] = []
  let item: JsonObject | undefined
  let index = 0
  let part: OpenPart | undefined

  const openItem = (): JsonObject => {
    const opened: JsonObject = isThought
      ? { id: '', type: 'reasoning', status: 'in_progress', summary: [] }
      : { id: '', type: 'message', status: 'in_progress', role: 'assistant', content: [] }
    index = place(opened)
    opened['id'] = `${isThought ? 'rs' : 'msg'}_${stem}_${index}`
    send('response.output_item.added', { output_index: index, item: opened })
    if (first === 'reasoning') opened['content'] = []
    return opened
  }
  const openPart = (kind: TextItemKind): OpenPart => {
    item ??= openItem()
    const { list, events, at, newPart } = partFormats[kind]
    const parts = item[list] as JsonObject[]
    const where = { item_id: item['id'], output_index: index, [at]: parts.length }
    const opened = { kind, where, part: newPart(), text: '', logprobs: [] }
    send(events.added, { ...where, part: opened.part })
    parts.push(opened.part)
    return opened
  }
  const closePart = () => {
    if (part === undefined) return
    const { kind, where, text, logprobs } = part
    const { key, events } = partFormats[kind]
    part.part[key] = text
    if (kind === 'text') part.part['logprobs'] = logprobs
    send(events.done, { ...where, [key]: text, ...(kind === 'text' ? { logprobs } : {}) })
    send(events.closed, { ...where, part: part.part })
    part = undefined
  }
  return {
    type: 'text',
    isThought,
    add: (kind, text, logprobs) =>
      void pieces.push({ kind, text, logprobs: Array.isArray(logprobs) ? logprobs : [] }),
    advance() {
      for (const { kind, text: delta, logprobs } of pieces.splice(0)) {
        if (part?.kind !== kind) {
          closePart()
          part = openPart(kind)
        }
        part.text += delta
        part.part[partFormats[kind].key] = part.text
        part.logprobs.push(...logprobs)
        send(partFormats[kind].events.delta, {
          ...part.where,
          delta,
          ...(kind === 'text' ? { logprobs } : {}),
        })
      }
      return true
    },
    end(isCutShort) {
      closePart()
      if (item === undefined) return
      item['status'] = isCutShort ? 'incomplete' : 'completed'
      send('response.output_item.done', { output_index: index, item })
    },
  }
}

type Piece = { readonly kind: TextItemKind; readonly text: string; readonly logprobs: readonly unknown[] }

type OpenPart = {
  readonly kind: TextItemKind
  /** The fields that locate the part in every event. */
  readonly where: JsonObject
  readonly part: JsonObject
  text: string
  readonly logprobs: unknown[]
}

type PartFormat = {
  /** The item's list of parts. */
  readonly list: 'content' | 'summary'
  /** The name of the part's index in events. */
  readonly at: 'content_index' | 'summary_index'
  /** The field that holds the text, in the part and in its last event. */
  readonly key: 'text' | 'refusal'
  readonly newPart: () => JsonObject
  readonly events: {
    readonly added: string
    readonly delta: string
    readonly done: string
    readonly closed: string
  }
}

const content = { list: 'content', at: 'content_index' } as const
const contentPart = { added: 'response.content_part.added', closed: 'response.content_part.done' }

const partFormats: Readonly<Record<TextItemKind, PartFormat>> = {
  text: {
    ...content,
    key: 'text',
    newPart: () => ({ type: 'output_text', text: '', annotations: [], logprobs: [] }),
    events: { ...contentPart, delta: 'response.output_text.delta', done: 'response.output_text.done' },
  },
  refusal: {
    ...content,
    key: 'refusal',
    newPart: () => ({ type: 'refusal', refusal: '' }),
    events: { ...contentPart, delta: 'response.refusal.delta', done: 'response.refusal.done' },
  },
  reasoning: {
    ...content,
    key: 'text',
    newPart: () => ({ type: 'reasoning_text', text: '' }),
    events: { ...contentPart, delta: 'response.reasoning_text.delta', done: 'response.reasoning_text.done' },
  },
  summary: {
    list: 'summary',
    at: 'summary_index',
    key: 'text',
    newPart: () => ({ type: 'summary_text', text: '' }),
    events: {
      added: 'response.reasoning_summary_part.added',
      delta: 'response.reasoning_summary_text.delta',
      done: 'response.reasoning_summary_text.done',
      closed: 'response.reasoning_summary_part.done',
    },
  },
}
