import type Anthropic from '@anthropic-ai/sdk'
import type { ToolCall } from '../../core/model/call.ts'
import { createJsonObjectWriter, type JsonObjectWriter } from '../shared/json-object-writer.ts'
import { eventFrame } from './event.ts'
import { toolInput, unreadableInput } from './input.ts'

/**
 * The content blocks of a streamed message. One is open at a time, numbered from 0, and what belongs to a later one
 * waits until it has ended: a tool call when its arguments are a whole object, anything else when something else
 * follows. So tool calls whose fragments come mixed are told one after the other. Each method gives frames, or ''.
 */
export interface BlockWriter {
  say(kind: 'text' | 'thinking', piece: string): string
  call(fragment: ToolCall): string
  /**
   * Ends what is open and what waits. Throws Failure `invalid_response` for a tool call that cannot be read, unless
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
  /** What has come and is not told yet. */
  pending: string
}

type Tool = {
  readonly kind: 'tool'
  index: number | undefined
  pending: string
  readonly id: string
  /** Some upstreams tell it later than the id. */
  name: string | undefined
  /** The arguments so far. */
  readonly json: JsonObjectWriter
}

type State = {
  /** The open block, if any, and those that wait. */
  readonly queue: Block[]
  /** Every tool call there has been, by the index it has upstream. */
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
  // Of one that has left the queue nothing more is told: its arguments were whole.
  tool.json.add(piece)
  tool.pending += piece
}

/** Tells what can be told by now. */
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

/** There is one for every token: written by hand. */
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
