import type { Failure } from '../../failure.ts'
import { clipped, type Field, type FieldNotes, number, text } from './field.ts'

/**
 * The members of a line's `failure`: the kind and code, never the message, because an upstream's message may repeat a
 * prompt.
 */
export const failureFields = {
  kind: text('What went wrong: one of a fixed list', (failure: Failure) => failure.kind as string),
  // An upstream's own code may be any text.
  code: text('The code that the caller got', ({ code }) => code?.slice(0, 100) ?? null),
  param: clipped('The field of the request that was wrong', (failure) => failure.param ?? undefined),
  upstreamStatus: number('The HTTP status that the upstream gave', (failure) => failure.upstreamStatus),
  operatorNote: text('What an operator should check', (failure) => failure.operatorNote),
  stack: text('The place of a bug in the gateway, without a message', stackOf),
  causeCode: causeCode((failure: Failure) => failure),
} satisfies Readonly<Record<string, Field<Failure, unknown>>>

/** The code of a failure's cause: a number if the cause has a number, else a text. */
export function causeCode<Row>(
  of: (row: Row) => Failure | undefined,
  notes: FieldNotes = {},
): Field<Row, string | number | undefined, string | undefined> {
  const about = 'The code of the underlying error, such as `ECONNREFUSED`'
  const coded = text(about, (row: Row) => textOf(causeCodeOf(of(row))), notes)
  return {
    ...coded,
    read: (value) => (typeof value === 'number' ? value : coded.read(value)),
    write(row, label, line) {
      const code = causeCodeOf(of(row))
      if (typeof code !== 'number') return coded.write(row, label, line)
      line.put(label)
      line.number(code)
    },
  }
}

/** The code of a system or library error; other values of `code` are ignored. */
export function causeCodeOf(failure: Failure | undefined): string | number | undefined {
  const cause = failure?.cause
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  const { code } = cause
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}

function textOf(code: string | number | undefined): string | undefined {
  return code === undefined ? undefined : String(code)
}

/** Only for bugs, whose stack is in the gateway's own code. For an upstream's error the code is enough. */
export function stackOf({ isBug, cause }: Failure): string | undefined {
  if (!isBug || !(cause instanceof Error)) return undefined
  // The message before the first frame may quote a body.
  const at = cause.stack?.indexOf('\n    at ') ?? -1
  return at === -1 ? cause.name : cause.name + (cause.stack?.slice(at) ?? '')
}
