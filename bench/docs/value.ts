import type { JsonObject } from '../../src/core/model/json/json.ts'

/** A value of a field that tells what becomes of the field; with a label where there are several of them. */
export type Value = { readonly value: unknown; readonly label?: string; readonly beside?: JsonObject }

/** What is said of each field: nothing may be left out. */
export type Values = Readonly<Record<string, readonly Value[]>>

/** The only value of a field. */
export function one(value: unknown): readonly Value[] {
  return [{ value }]
}

/** A conversation that shows one thing. */
export function said(what: string, ...value: readonly JsonObject[]): Value {
  return { value, label: `messages: ${what}` }
}

/** What a user says in a conversation that is about something else. */
export const user = { role: 'user', content: 'Hi' } as const satisfies JsonObject

/** What an answer may be held to. */
export const schema = { type: 'object' } as const satisfies JsonObject
