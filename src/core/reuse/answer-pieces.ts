import { Failure, type FailureDetail, isFailureKind } from '../model/failure.ts'
import { parseJson } from '../model/json/json.ts'
import type { AnswerFacts, AnswerWriter } from './idempotent-answer.ts'

/** An answer's pieces on a shelf: lines of JSON, so that it does not matter how they are joined. */
export const answerPieces = {
  begin: (facts: AnswerFacts): string => line('begin', packedFacts(facts)),
  text: (text: string): string => line('text', text),
  end: (facts: AnswerFacts): string => line('end', packedFacts(facts)),
  /** `isTold`: the text already reports the failure. */
  failure: (failure: Failure, isTold: boolean): string =>
    line(isTold ? 'told' : 'failure', packFailure(failure)),
}

/**
 * Writes an answer from the pieces of a shelf. Rejects with the answer's own failure, as the pieces do, and with
 * `interrupted` if they end before the answer does.
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

/** True at the end. */
function writeLine(text: string, answer: AnswerWriter): boolean {
  // Written by `line`.
  const said = parseJson(text) as unknown as Line
  if (said[0] === 'failure' || said[0] === 'told') {
    const failure = unpackFailure(said[1])
    if (said[0] === 'told') answer.tell(failure, '')
    throw failure
  }
  if (said[0] === 'text') answer.write(said[1])
  else if (said[0] === 'begin') answer.begin(unpackedFacts(said[1]))
  else answer.end(unpackedFacts(said[1]))
  return said[0] === 'end'
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

/** What the caller may know. Details for operators are in the log of the process where it happened. */
export function packFailure(failure: Failure): PackedFailure {
  const { kind, message, param, code, provider, upstreamStatus, retryAfterMs, headers, status, type } =
    failure
  const { mayBeBilled, extra } = failure
  const shown = { status, type }
  const told = { param, code, provider, upstreamStatus, retryAfterMs, headers, shown, mayBeBilled, extra }
  return { kind, message, ...told }
}

export function unpackFailure({ kind, message, ...detail }: PackedFailure): Failure {
  return new Failure(isFailureKind(kind) ? kind : 'upstream_error', message, detail)
}
