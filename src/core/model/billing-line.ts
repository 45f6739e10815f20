import { isObject, type JsonObject } from './json/json.ts'

/** The name by which callers learn that it was taken out. */
export const billingLineName = 'system.x-anthropic-billing-header'

/**
 * The messages without the line that Claude Code puts at their head for Anthropic's accounts alone: a part of it
 * changes
 * with every call, and no prompt begins like another. Undefined where there is none.
 */
export function withoutBillingLine(messages: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(messages)) return undefined
  const [first, ...rest]: unknown[] = messages
  if (!isObject(first) || (first['role'] !== 'system' && first['role'] !== 'developer')) return undefined
  const { content } = first
  if (typeof content === 'string') {
    const text = withoutLine(content)
    if (text === undefined) return undefined
    return text === '' ? rest : [{ ...first, content: text }, ...rest]
  }
  const parts = Array.isArray(content) ? partsWithout(content) : undefined
  if (parts === undefined) return undefined
  return parts.length === 0 ? rest : [{ ...first, content: parts }, ...rest]
}

/** A text without that line at its head; undefined where it has none. */
export function withoutLine(text: string): string | undefined {
  // Nearly no text has it: told by its first letters.
  if (!text.trimStart().startsWith(name)) return undefined
  return text.replace(line, '')
}

function partsWithout(content: readonly unknown[]): readonly unknown[] | undefined {
  const [first, ...rest] = content
  const text = isObject(first) ? first['text'] : undefined
  const left = typeof text === 'string' ? withoutLine(text) : undefined
  if (left === undefined) return undefined
  return left === '' ? rest : [{ ...(first as JsonObject), text: left }, ...rest]
}

const name = 'x-anthropic-billing-header:'

const line = /^\s*x-anthropic-billing-header:[^\n]*\n*/
