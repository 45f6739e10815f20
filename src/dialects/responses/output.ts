import type { Message, ToolCall } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, objectIn } from '../../core/model/json/json.ts'
import { type CallItem, createCallItem } from './call-item.ts'
import type { Tell } from './item.ts'
import { createTextItem, type TextItem, type TextItemKind } from './text-item.ts'
import type { ToolOrigin } from './tools.ts'

/**
 * The output items of a response, sent as they come. One is open at a time. Deltas of a later one wait until it has
 * ended: a tool call ends when its arguments are a whole object, anything else when something else follows.
 */
export interface OutputWriter {
  /**
   * A message, or a piece of one, with its log probabilities. Throws a Failure where all of it, which has to be told
   * once more at the end, is longer than is kept.
   */
  say(message: Message, logprobs: unknown): void
  /** Ends the open and the waiting items; what was cut short is marked so. */
  end(isCutShort: boolean): void
  /** Marks the open item as incomplete, without sending its end. */
  breakOff(): void
  /** The items so far. */
  items(): readonly JsonObject[]
}

export type OutputParts = {
  /** The stem of the items' ids. */
  readonly stem: string
  readonly origins: ReadonlyMap<string, ToolOrigin>
  /** The caller reads reasoning as a summary. */
  readonly summarizes: boolean
}

export function createOutputWriter({ stem, origins, summarizes }: OutputParts, tell: Tell): OutputWriter {
  /** The open item, if any, and the waiting ones. */
  const queue: (TextItem | CallItem)[] = []
  const opened: JsonObject[] = []
  /** By their index upstream. */
  const calls = new Map<number, CallItem>()
  const place = (item: JsonObject) => opened.push(item) - 1
  let kept = 0
  const keep = (characters: number) => {
    kept += characters
    if (kept > mostCharacters || opened.length + queue.length > mostItems) throw tooLong()
  }
  const parts = { stem, tell, place }

  const words = (kind: TextItemKind, piece: unknown, logprobs?: unknown) => {
    if (typeof piece !== 'string' || piece === '') return
    keep(piece.length)
    let last = queue.at(-1)
    if (last?.type !== 'words' || last.isThought !== (kind === 'reasoning' || kind === 'summary')) {
      last = createTextItem(kind, parts)
      queue.push(last)
    }
    last.add(kind, piece, logprobs)
  }
  const fragment = (call: ToolCall, position: number) => {
    const index = call.index ?? position
    let item = calls.get(index)
    if (item === undefined) {
      item = createCallItem(call.id ?? '', origins, parts)
      calls.set(index, item)
      queue.push(item)
    }
    keep(call.function?.arguments?.length ?? 0)
    item.add(call.function)
  }
  const advance = () => {
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      if (!head.advance() || queue.length === 1 || !hasEnded(head)) return
      head.end(false)
      queue.shift()
    }
  }
  return {
    say({ reasoning_content: thought, content, refusal, tool_calls: fragments }, logprobs) {
      words(summarizes ? 'summary' : 'reasoning', thought)
      words('text', content, isObject(logprobs) ? logprobs['content'] : undefined)
      words('refusal', refusal)
      fragments?.forEach(fragment)
      advance()
    },
    end(isCutShort) {
      for (const item of queue.splice(0)) {
        item.advance()
        item.end(isCutShort && (item.type === 'words' || objectIn(item.spelled.text()) === undefined))
      }
    },
    breakOff() {
      for (const item of opened) if (item['status'] === 'in_progress') item['status'] = 'incomplete'
    },
    items: () => opened,
  }
}

function tooLong(): Failure {
  return new Failure('invalid_response', "The upstream's answer is longer than a response may hold.")
}

/** As of a stream that is folded into one JSON answer, though each character is held twice here. */
const mostCharacters = 16 * 1024 * 1024
const mostItems = 10_000

/** Something else has followed. A tool call without arguments may still get some. */
function hasEnded(item: TextItem | CallItem): boolean {
  return item.type === 'words' || item.spelled.isWhole()
}
