import type { JsonObject } from './json/json.ts'

/** Receives the steps of calls as they happen, for the debug log. */
export interface Steps {
  /** The listener of one call; undefined if steps are not logged: then they are not described either. */
  open(requestId: string): CallSteps | undefined
}

export interface CallSteps {
  /** `detail` must contain no text of a body, and no text that a caller chose. */
  tell(step: Step, detail: object): void
  /** The shape of a body, if the log level asks for it. */
  shape(of: 'request' | 'upstream request' | 'upstream answer', body: JsonObject): void
}

export type Step =
  | 'plan'
  | 'attempt begins'
  | 'upstream answers'
  | 'attempt ends'
  | 'passed over'
  | 'waits for a slot'
  | 'waits before another attempt'
  | 'goes on to another attempt'
  | 'gives up'
