import type { Routes, Settings, Stage } from './harness.ts'

/** One way of one fault, and what must come of it. */
export type FaultCase = {
  /** Which of the forty. */
  readonly fault: number
  /** What goes wrong. Together with the fault, it is the case's name. */
  readonly name: string
  /** What comes of it, for people. */
  readonly outcome: string
  /** The models it asks for. */
  readonly routes?: Routes
  /** Of gateway.yaml: the case is played on a stage of its own. */
  readonly settings?: Settings
  /** Plays it, and throws when something else comes of it. Leaves a quiet stage. */
  play(stage: Stage): Promise<void>
}

/** The forty, by what goes wrong. */
export const faultTitles: readonly string[] = [
  'connection refused',
  'name not found, or its lookup stalls',
  'connecting leads nowhere',
  'a certificate that cannot be trusted',
  'reset before the headers',
  'cut after the headers, before the body',
  'half a JSON body',
  'an invalid answer with status 200',
  'a burst of 5xx',
  'rate limits',
  'our own credentials refused',
  'headers that never come',
  'a body that drips for ever',
  'a stream that is silent before its first token',
  'a stream that begins with an error',
  'a stream cut after some tokens',
  'an end without its terminator',
  'more after the end',
  'unusual usage reports',
  'no usage at all',
  'lines and events of every size and shape',
  'compressed answers',
  'HTTP out of order',
  'redirects',
  'connections closed while idle',
  'callers who leave',
  'callers who do not read',
  'callers who do not finish their request',
  'requests that are not what they seem',
  'killed while writing the ledger',
  'a ledger that cannot be written',
  'a shared store that is gone',
  'a database that fails over',
  'the clock of the machine jumps',
  'shutdown under load',
  'reload under load',
  'no processor, no memory',
  'a storm of retries',
  'a worker that dies',
  'everything at once, for a while',
]
