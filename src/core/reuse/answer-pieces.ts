import { Failure, type FailureDetail, isFailureKind } from '../model/failure.ts'
import { parseJson } from '../model/json/json.ts'
import type { AnswerFacts, AnswerWriter } from './idempotent-answer.ts'

/** The pieces of an answer in the shared cache: lines of JSON, which may be joined in any way. */
export const answerPieces = {
  begin: (facts: AnswerFacts): string => line('begin', packedFacts(facts)),
  text: (text: string): string => line('text', text),
  end: (facts: AnswerFacts): string => line('end', packedFacts(facts)),
  /** `isReported`: the text already reports the failure. */
  failure: (failure: Failure, isReported: boolean): string =>
    line(isReported ? 'told' : 'failure', packFailure(failure)),
}

/**
 * Writes an answer from its pieces in the shared cache. Rejects with the answer's own failure, with an error of the
 * pieces, and with `interrupted` if the pieces end before the answer does.
 */
export async function writePieces(pieces: AsyncIterable<string>, answer: AnswerWriter): Promise<void> {
  let isWhole = false
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const each of lines) isWhole = writeLine(each, answer)
    await answer.drained()
  }
  if (!isWhole) throw new Failure('interrupted', 'The answer under this key was not finished.')
}

type Line =
  | readonly ['begin', PackedFacts]
  | readonly ['text', string]
  | readonly ['end', PackedFacts]
  | readonly ['failure', PackedFailure]
  | readonly ['told', PackedFailure]

function line(...parts: Line): string {
  return `${JSON.stringify(parts)}\n`
}

/** Returns true for the end of the answer. */
function writeLine(text: string, answer: AnswerWriter): boolean {
  // Written by `line`.
  const parsed = parseJson(text) as unknown as Line
  if (parsed[0] === 'failure' || parsed[0] === 'told') {
    const failure = unpackFailure(parsed[1])
    if (parsed[0] === 'told') answer.reportFailure(failure, '')
    throw failure
  }
  if (parsed[0] === 'text') answer.write(parsed[1])
  else if (parsed[0] === 'begin') answer.begin(unpackedFacts(parsed[1]))
  else answer.end(unpackedFacts(parsed[1]))
  return parsed[0] === 'end'
}

type PackedFacts = Pick<AnswerFacts, 'deployment' | 'usage'> & {
  readonly dropped: readonly string[]
  readonly converted: readonly string[]
}

function packedFacts({ deployment, usage, dropped, converted }: AnswerFacts): PackedFacts {
  return { deployment, usage, dropped: [...dropped], converted: [...converted] }
}

function unpackedFacts({ deployment, usage, dropped, converted }: PackedFacts): AnswerFacts {
  return { deployment, usage, dropped: new Set(dropped), converted: new Set(converted) }
}

export type PackedFailure = FailureDetail & { readonly kind: string; readonly message: string }

/**
 * The parts of a failure that the caller may see. Details for operators are in the log of the process where it
 * happened.
 */
export function packFailure(failure: Failure): PackedFailure {
  const { kind, message, param, code, provider, upstreamStatus, retryAfterMs, headers, status, type } =
    failure
  const { mayBeBilled, extra } = failure
  const shown = { status, type }
  const detail = { param, code, provider, upstreamStatus, retryAfterMs, headers, shown, mayBeBilled, extra }
  return { kind, message, ...detail }
}

export function unpackFailure({ kind, message, ...detail }: PackedFailure): Failure {
  return new Failure(isFailureKind(kind) ? kind : 'upstream_error', message, detail)
}
