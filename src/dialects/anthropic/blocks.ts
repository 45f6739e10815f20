import type Anthropic from '@anthropic-ai/sdk'
import type { ToolCall } from '../../core/model/call.ts'
import { createJsonObjectWriter, type JsonObjectWriter } from '../shared/json-object-writer.ts'
import { eventFrame } from './event.ts'
import { toolInput, unreadableInput } from './input.ts'

/**
 * Writes the content blocks of a streamed message. Blocks are numbered from 0, and only one is open at a time. Deltas
 * of later blocks are buffered until it ends. A tool call ends when its arguments are a complete object; other blocks
 * end when the next one begins. So interleaved tool calls are sent one after the other. Each method returns frames, or
 * ''.
 */
export interface BlockWriter {
  addText(kind: 'text' | 'thinking', piece: string): string
  addToolCall(fragment: ToolCall): string
  /**
   * Ends the open block and the buffered ones. Throws Failure `invalid_response` for a tool call with unreadable
   * arguments, unless `isCutShort`.
   */
  end(isCutShort: boolean): string
}

export function createBlockWriter(): BlockWriter {
  const state: State = { queue: [], begun: new Map(), opened: 0 }
  return {
    addText(kind, piece) {
      let last = state.queue.at(-1)
      if (last?.kind !== kind) {
        last = { kind, index: undefined, pending: '' }
        state.queue.push(last)
      }
      last.pending += piece
      return advance(state)
    },
    addToolCall(fragment) {
      takeFragment(fragment, state)
      return advance(state)
    },
    end(isCutShort) {
      let frames = ''
      for (const block of state.queue.splice(0)) {
        if (block.kind === 'tool' && !isCutShort && toolInput(block.json.text()) === undefined) {
          throw unreadableInput()
        }
        frames += startOf(block, state) + pendingDelta(block) + stopOf(block)
      }
      return frames
    },
  }
}

type Block = Text | Tool

type Text = {
  readonly kind: 'text' | 'thinking'
  /** Undefined until the block is open. */
  index: number | undefined
  /** Text that was not sent yet. */
  pending: string
}

type Tool = {
  readonly kind: 'tool'
  index: number | undefined
  pending: string
  readonly id: string
  /** Some upstreams send the name after the id. */
  name: string | undefined
  /** The arguments so far. */
  readonly json: JsonObjectWriter
}

type State = {
  /** The open block, followed by the buffered ones. */
  readonly queue: Block[]
  /** All tool calls, by the upstream's index. */
  readonly begun: Map<number, Tool>
  opened: number
}

function takeFragment({ index = 0, id = '', function: called }: ToolCall, { queue, begun }: State): void {
  let tool = begun.get(index)
  if (tool === undefined) {
    tool = {
      kind: 'tool',
      index: undefined,
      pending: '',
      id,
      name: undefined,
      json: createJsonObjectWriter(),
    }
    begun.set(index, tool)
    queue.push(tool)
  }
  tool.name ??= called?.name
  const piece = called?.arguments ?? ''
  // A call that has left the queue is complete, so later fragments are not sent.
  tool.json.add(piece)
  tool.pending += piece
}

/** Returns the frames that can be sent now. */
function advance(state: State): string {
  const { queue } = state
  let frames = ''
  while (true) {
    const [block] = queue
    if (block === undefined || (block.kind === 'tool' && block.name === undefined)) return frames
    frames += startOf(block, state) + pendingDelta(block)
    if (queue.length === 1 || !hasEnded(block)) return frames
    frames += stopOf(block)
    queue.shift()
  }
}

/** Called when another block follows. A tool call without complete arguments may still get some. */
function hasEnded(block: Block): boolean {
  return block.kind !== 'tool' || block.json.isWhole()
}

function startOf(block: Block, state: State): string {
  if (block.index !== undefined) return ''
  block.index = state.opened++
  return eventFrame({ type: 'content_block_start', index: block.index, content_block: emptyBlock(block) })
}

function emptyBlock(block: Block): Anthropic.RawContentBlockStartEvent['content_block'] {
  switch (block.kind) {
    case 'text':
      return { type: 'text', text: '', citations: null }
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'tool': {
      const { id, name = '' } = block
      return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } }
    }
  }
}

function pendingDelta(block: Block): string {
  const { kind, index, pending } = block
  if (pending === '') return ''
  block.pending = ''
  return `${head}${index},"delta":{${deltas[kind]}:${JSON.stringify(pending)}}}\n\n`
}

const head = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'

/** Assembled as text, because there is one frame per token. */
const deltas = {
  text: '"type":"text_delta","text"',
  thinking: '"type":"thinking_delta","thinking"',
  tool: '"type":"input_json_delta","partial_json"',
} as const

function stopOf({ kind, index = 0 }: Block): string {
  const stop = eventFrame({ type: 'content_block_stop', index })
  if (kind !== 'thinking') return stop
  const delta = { type: 'signature_delta', signature: '' } as const
  return eventFrame({ type: 'content_block_delta', index, delta }) + stop
}
