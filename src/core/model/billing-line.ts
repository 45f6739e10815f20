import { isObject, type JsonObject } from './json/json.ts'

/** The name under which its removal is reported to callers. */
export const billingLineName = 'system.x-anthropic-billing-header'

/**
 * The messages without the line that Claude Code puts at their head for Anthropic's accounts. Part of it changes with
 * every call, so no two prompts share a prefix. Undefined if there is none.
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

/** A text without that line at its head; undefined if it has none. */
export function withoutLine(text: string): string | undefined {
  // A cheap check first: nearly no text has it.
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
