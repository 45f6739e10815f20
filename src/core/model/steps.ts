import type { JsonObject } from './json/json.ts'

/** Hears what calls go through at the moment it happens: for a log in detail. */
export interface Steps {
  /** Of one call; undefined where nobody listens: then nothing is made to be told. */
  open(requestId: string): CallSteps | undefined
}

export interface CallSteps {
  /** Never a word of a body, nor one that a caller chose. */
  tell(step: Step, detail: object): void
  /** What a body is made of, as far as that is wanted. */
  shape(of: 'request' | 'upstream request' | 'upstream answer', body: JsonObject): void
}

export type Step =
  | 'plan'
  | 'attempt begins'
  | 'upstream answers'
  | 'attempt ends'
  | 'passed over'
  | 'waits for a place'
  | 'waits before another attempt'
  | 'goes on to another attempt'
  | 'gives up'
