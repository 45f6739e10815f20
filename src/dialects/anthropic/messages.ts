import type Anthropic from '@anthropic-ai/sdk'
import type { JsonObject } from '../../core/model/json/json.ts'

/**
 * Converts Anthropic's conversation to a chat's messages. Neighbouring messages of one role become one turn. Content
 * that is only text becomes one string with a line per block, because not every upstream takes parts. Tool results come
 * before the user's other content. Images and files in a result follow as user content, because a tool message holds
 * only text. Content that a chat cannot express is added to `dropped`. `system` and `messages` must have passed
 * `anthropicFields`.
 */
export function chatMessages(system: unknown, messages: unknown, dropped: Set<string>): JsonObject[] {
  const instruction = typeof system === 'string' ? system : linesOf(blocksOf(system as Content), dropped)
  const result: JsonObject[] = instruction === '' ? [] : [{ role: 'system', content: instruction }]
  for (const { role, contents } of turnsOf(messages as readonly Anthropic.MessageParam[])) {
    const blocks = contents.flatMap(blocksOf)
    if (role === 'assistant') result.push(assistantMessage(blocks, dropped))
    else if (role === 'system') result.push({ role, content: linesOf(blocks, dropped) })
    else addUserMessages(result, blocks, dropped)
  }
  return result
}

type Block = Anthropic.ContentBlockParam
type Content = string | readonly Block[] | null | undefined
type Turn = { readonly role: Anthropic.MessageParam['role']; readonly contents: Content[] }

function turnsOf(messages: readonly Anthropic.MessageParam[]): readonly Turn[] {
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    const before = turns.at(-1)
    if (before?.role !== role || role === 'system') turns.push({ role, contents: [content] })
    else before.contents.push(content)
  }
  return turns
}

function blocksOf(content: Content): readonly Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content ?? []
}

function linesOf(blocks: readonly Block[], dropped: Set<string>): string {
  const lines: string[] = []
  for (const block of blocks) {
    noteCacheControl(block, dropped)
    if (block.type === 'text') lines.push(block.text)
    else dropped.add(`system.${block.type}`)
  }
  return joined(lines)
}

/** Skips empty text, because an empty line would change a prefill. */
function joined(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n')
}

function assistantMessage(blocks: readonly Block[], dropped: Set<string>): JsonObject {
  const texts: string[] = []
  const thoughts: string[] = []
  const calls: JsonObject[] = []
  for (const block of blocks) {
    noteCacheControl(block, dropped)
    if (block.type === 'text') texts.push(block.text)
    else if (block.type === 'thinking') thoughts.push(block.thinking)
    else if (block.type === 'tool_use') calls.push(toolCall(block))
    else dropped.add(`messages.${block.type}`)
  }
  const message: JsonObject = { role: 'assistant', content: joined(texts) }
  const reasoning = joined(thoughts)
  if (reasoning !== '') message['reasoning_content'] = reasoning
  if (calls.length > 0) {
    message['tool_calls'] = calls
    if (message['content'] === '') message['content'] = null
  }
  return message
}

function toolCall({ id, name, input }: Anthropic.ToolUseBlockParam): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } }
}

function addUserMessages(messages: JsonObject[], blocks: readonly Block[], dropped: Set<string>): void {
  const before = messages.length
  const parts: Part[] = []
  for (const block of blocks) {
    noteCacheControl(block, dropped)
    if (block.type !== 'tool_result') {
      for (const part of partsOf(block, dropped)) parts.push(part)
      continue
    }
    const result = blocksOf(block.content as Content).flatMap((inner) => partsOf(inner, dropped))
    messages.push({
      role: 'tool',
      tool_call_id: block.tool_use_id,
      content: toolText(result, block.is_error === true),
    })
    for (const part of result) if (part.type !== 'text') parts.push(part)
  }
  if (parts.length > 0 || messages.length === before) {
    messages.push({ role: 'user', content: contentOf(parts) })
  }
}

/** The prefix marks a failed tool, because a chat has no field for it. */
function toolText(parts: readonly Part[], isError: boolean): string {
  const text = joined(textsIn(parts))
  return isError ? `Error: ${text}` : text
}

type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | { readonly type: 'file'; readonly file: { readonly filename: string; readonly file_data: string } }

function contentOf(parts: readonly Part[]): string | readonly Part[] {
  const texts = textsIn(parts)
  if (texts.length === parts.length) return joined(texts)
  return parts.filter((part) => part.type !== 'text' || part.text !== '')
}

function textsIn(parts: readonly Part[]): readonly string[] {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
}

function partsOf(block: Block | Anthropic.ToolReferenceBlockParam, dropped: Set<string>): readonly Part[] {
  switch (block.type) {
    case 'text':
      return [textPart(block.text)]
    case 'image':
      return [imagePart(block.source)]
    case 'document':
      if (block.citations?.enabled === true) dropped.add('messages.citations')
      return documentParts(block)
    case 'search_result':
      return [textPart([block.title, block.source, ...block.content.map(({ text }) => text)].join('\n'))]
    case 'tool_reference':
      return [textPart(block.tool_name)]
    default:
      dropped.add(`messages.${block.type}`)
      return []
  }
}

function textPart(text: string): Part {
  return { type: 'text', text }
}

function imagePart(source: Anthropic.ImageBlockParam['source']): Part {
  if (source.type === 'base64') return { type: 'image_url', image_url: { url: dataUrl(source) } }
  return { type: 'image_url', image_url: { url: source.type === 'url' ? source.url : '' } }
}

function documentParts({ title, context, source }: Anthropic.DocumentBlockParam): readonly Part[] {
  const heading = [title, context].filter((line) => line != null && line !== '').join('\n')
  const headed = (text: string) => textPart(heading === '' ? text : `${heading}\n${text}`)
  switch (source.type) {
    case 'text':
      return [headed(source.data)]
    case 'base64':
      return [
        ...(context ? [textPart(context)] : []),
        { type: 'file', file: { filename: title ?? 'document.pdf', file_data: dataUrl(source) } },
      ]
    case 'content': {
      if (typeof source.content === 'string') return [headed(source.content)]
      const parts = source.content.map((block) =>
        block.type === 'text' ? textPart(block.text) : imagePart(block.source),
      )
      return heading === '' ? parts : [textPart(heading), ...parts]
    }
    default:
      return []
  }
}

function dataUrl({ media_type: type, data }: { readonly media_type: string; readonly data: string }): string {
  return `data:${type};base64,${data}`
}

/** Notes cache control as dropped: the upstream decides what it caches. */
function noteCacheControl(block: Block, dropped: Set<string>): void {
  if ('cache_control' in block && block.cache_control != null) dropped.add('cache_control')
}
