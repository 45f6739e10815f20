import type { JsonObject } from '../../src/core/model/json/json.ts'
import { strictAnthropicFields } from '../../src/dialects/anthropic/fields.ts'
import { chatFields } from '../../src/dialects/openai/chat-fields.ts'
import { textFields } from '../../src/dialects/openai/text-fields.ts'
import { strictResponsesFields } from '../../src/dialects/responses/fields.ts'
import type { Fields } from '../../src/dialects/shared/validate.ts'
import { anthropicValues } from './anthropic-values.ts'
import { chatValues } from './chat-values.ts'
import { responsesValues } from './responses-values.ts'
import { fimValues, textValues } from './text-values.ts'
import type { Values } from './value.ts'

/** One thing that a caller may say, and what is asked beside it. */
export type Probe = {
  readonly label: string
  readonly field: string
  readonly value: unknown
  readonly beside: JsonObject
}

/** A way to ask: where, the least that can be asked there, and everything else that can be said. */
export type Asking = {
  readonly path: string
  readonly base: JsonObject
  readonly probes: readonly Probe[]
}

/** What says where a call runs, and goes to no upstream as it is. */
const routed: ReadonlySet<string> = new Set(['model', 'models', 'provider'])

const messages = [{ role: 'user', content: 'Hi' }]
const unknown: Values = { x_unknown: [{ value: { a: 1 }, label: 'any field not named here' }] }

/** Every way to ask that the page tells of. The fields are those that the dialects hold requests to. */
export const askings = {
  chat: { path: '/v1/chat/completions', base: { messages }, probes: probesOf(chatFields, chatValues) },
  text: { path: '/v1/completions', base: { prompt: 'Hi' }, probes: probesOf(textFields, textValues) },
  messages: {
    path: '/v1/messages',
    base: { max_tokens: 9, messages },
    probes: probesOf(strictAnthropicFields, anthropicValues),
  },
  responses: {
    path: '/v1/responses',
    base: { input: 'Hi' },
    probes: probesOf(strictResponsesFields, responsesValues),
  },
  fim: {
    path: '/v1/fim/completions',
    base: { prompt: 'def ' },
    probes: probesOf(textFields, { ...textValues, ...fimValues }),
  },
  inferenceText: { path: '/inference', base: { prompt: 'Hi' }, probes: probesOf(textFields, textValues) },
  inferenceChat: { path: '/inference', base: { messages }, probes: probesOf(chatFields, chatValues) },
} as const satisfies Record<string, Asking>

/** Throws where a dialect has a field of which the values say nothing. */
function probesOf(fields: Fields, values: Values): readonly Probe[] {
  for (const field of fields.keys()) {
    if (!routed.has(field) && values[field] === undefined) {
      throw new Error(`No value was given to show what becomes of ${field}.`)
    }
  }
  return Object.entries({ ...values, ...unknown }).flatMap(([field, given]) =>
    given.map(({ value, label = field, beside = {} }) => ({ label, field, value, beside })),
  )
}
