import type { Message, ToolCall } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, objectIn } from '../../core/model/json/json.ts'
import { type CallItem, createCallItem } from './call-item.ts'
import type { SendEvent } from './item.ts'
import { createTextItem, type TextItem, type TextItemKind } from './text-item.ts'
import type { ToolOrigin } from './tools.ts'

/**
 * Writes the output items of a response. Only one item is open at a time. Deltas of later items are buffered until it
 * ends. A tool call ends when its arguments are a complete object; other items end when the next one begins.
 */
export interface OutputWriter {
  /**
   * Writes a message, or a piece of one, with its log probabilities. Throws a Failure if the whole output, which the
   * last event repeats, exceeds the limit.
   */
  write(message: Message, logprobs: unknown): void
  /** Ends the open item and the buffered ones. With `isCutShort`, incomplete items are marked as incomplete. */
  end(isCutShort: boolean): void
  /** Marks the open item as incomplete, without sending its end. */
  breakOff(): void
  /** Returns all items. */
  items(): readonly JsonObject[]
}

export type OutputParts = {
  /** The common part of the items' ids. */
  readonly stem: string
  readonly origins: ReadonlyMap<string, ToolOrigin>
  /** True: reasoning is written as a summary, because the caller requested one. */
  readonly summarizes: boolean
}

export function createOutputWriter(
  { stem, origins, summarizes }: OutputParts,
  send: SendEvent,
): OutputWriter {
  /** The open item, followed by the buffered ones. */
  const queue: (TextItem | CallItem)[] = []
  const opened: JsonObject[] = []
  /** Tool calls by the upstream's index. */
  const calls = new Map<number, CallItem>()
  const place = (item: JsonObject) => opened.push(item) - 1
  let kept = 0
  const keep = (characters: number) => {
    kept += characters
    if (kept > mostCharacters || opened.length + queue.length > mostItems) throw tooLong()
  }
  const parts = { stem, send, place }

  const addText = (kind: TextItemKind, piece: unknown, logprobs?: unknown) => {
    if (typeof piece !== 'string' || piece === '') return
    keep(piece.length)
    let last = queue.at(-1)
    if (last?.type !== 'text' || last.isThought !== (kind === 'reasoning' || kind === 'summary')) {
      last = createTextItem(kind, parts)
      queue.push(last)
    }
    last.add(kind, piece, logprobs)
  }
  const addFragment = (call: ToolCall, position: number) => {
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
    write({ reasoning_content: thought, content, refusal, tool_calls: fragments }, logprobs) {
      addText(summarizes ? 'summary' : 'reasoning', thought)
      addText('text', content, isObject(logprobs) ? logprobs['content'] : undefined)
      addText('refusal', refusal)
      fragments?.forEach(addFragment)
      advance()
    },
    end(isCutShort) {
      for (const item of queue.splice(0)) {
        item.advance()
        item.end(isCutShort && (item.type === 'text' || objectIn(item.argumentsJson.text()) === undefined))
      }
    },
    breakOff() {
      for (const item of opened) if (item['status'] === 'in_progress') item['status'] = 'incomplete'
    },
    items: () => opened,
  }
}

function tooLong(): Failure {
  return new Failure('invalid_response', "The upstream's answer exceeds the size limit of a response.")
}

/** The same limit as for a stream that is folded into one JSON answer. Here each character is held twice. */
const mostCharacters = 16 * 1024 * 1024
const mostItems = 10_000

/** Called when another item follows. A tool call without complete arguments may still get some. */
function hasEnded(item: TextItem | CallItem): boolean {
  return item.type === 'text' || item.argumentsJson.isWhole()
}
