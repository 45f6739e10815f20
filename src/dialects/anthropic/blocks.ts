import type Anthropic from '@anthropic-ai/sdk'
import type { ToolCall } from '../../core/model/call.ts'
import { createJsonObjectWriter, type JsonObjectWriter } from '../shared/json-object-writer.ts'
import { eventFrame } from './event.ts'
import { toolInput, unreadableInput } from './input.ts'

/**
 * The content blocks of a streamed message. One is open at a time, numbered from 0. Deltas of a later one wait until it
 * has ended: a tool call ends when its arguments are a whole object, anything else when something else follows. So
 * interleaved tool calls are sent one after the other. Each method returns frames, or ''.
 */
export interface BlockWriter {
  say(kind: 'text' | 'thinking', piece: string): string
  call(fragment: ToolCall): string
  /**
   * Ends the open and the waiting blocks. Throws Failure `invalid_response` for an unreadable tool call, unless
   * `isCutShort`.
   */
  end(isCutShort: boolean): string
}

export function createBlockWriter(): BlockWriter {
  const state: State = { queue: [], begun: new Map(), opened: 0 }
  return {
    say(kind, piece) {
      let last = state.queue.at(-1)
      if (last?.kind !== kind) {
        last = { kind, index: undefined, pending: '' }
        state.queue.push(last)
      }
      last.pending += piece
      return advance(state)
    },
    call(fragment) {
      takeFragment(fragment, state)
      return advance(state)
    },
    end(isCutShort) {
      let frames = ''
      for (const block of state.queue.splice(0)) {
        if (block.kind === 'tool' && !isCutShort && toolInput(block.json.text()) === undefined) {
          throw unreadableInput()
        }
        frames += opening(block, state) + spoken(block) + closing(block)
      }
      return frames
    },
  }
}

type Block = Words | Tool

type Words = {
  readonly kind: 'text' | 'thinking'
  /** Undefined until it is open. */
  index: number | undefined
  /** Deltas that were not sent yet. */
  pending: string
}

type Tool = {
  readonly kind: 'tool'
  index: number | undefined
  pending: string
  readonly id: string
  /** Some upstreams send it after the id. */
  name: string | undefined
  /** The arguments so far. */
  readonly json: JsonObjectWriter
}

type State = {
  /** The open block, if any, and the waiting ones. */
  readonly queue: Block[]
  /** Every tool call so far, by its index upstream. */
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
  // A call that has left the queue is complete: nothing more of it is sent.
  tool.json.add(piece)
  tool.pending += piece
}

/** Sends everything that can be sent now. */
function advance(state: State): string {
  const { queue } = state
  let frames = ''
  while (true) {
    const [block] = queue
    if (block === undefined || (block.kind === 'tool' && block.name === undefined)) return frames
    frames += opening(block, state) + spoken(block)
    if (queue.length === 1 || !hasEnded(block)) return frames
    frames += closing(block)
    queue.shift()
  }
}

/** Something else has followed. A tool call without arguments may still get some. */
function hasEnded(block: Block): boolean {
  return block.kind !== 'tool' || block.json.isWhole()
}

function opening(block: Block, state: State): string {
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

function spoken(block: Block): string {
  const { kind, index, pending } = block
  if (pending === '') return ''
  block.pending = ''
  return `${head}${index},"delta":{${deltas[kind]}:${JSON.stringify(pending)}}}\n\n`
}

const head = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'

/** Written by hand, because there is one per token. */
const deltas = {
  text: '"type":"text_delta","text"',
  thinking: '"type":"thinking_delta","thinking"',
  tool: '"type":"input_json_delta","partial_json"',
} as const

function closing({ kind, index = 0 }: Block): string {
  const stop = eventFrame({ type: 'content_block_stop', index })
  if (kind !== 'thinking') return stop
  const delta = { type: 'signature_delta', signature: '' } as const
  return eventFrame({ type: 'content_block_delta', index, delta }) + stop
}
