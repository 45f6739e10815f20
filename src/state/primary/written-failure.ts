import { Failure, type FailureDetail, type FailureKind } from '../../core/model/failure.ts'

/** A Failure as sent to another process: without its cause, which is in this process's log. */
export type WrittenFailure = {
  readonly kind: FailureKind
  readonly message: string
  readonly detail: FailureDetail
}

export function writeFailure(failure: Failure): WrittenFailure {
  const { kind, message, param, code, provider, upstreamStatus, retryAfterMs, askedUrl } = failure
  const { upstreamSaid, operatorNote, headers, mayBeBilled, isStale, isBug, extra, status, type } = failure
  return {
    ...{ kind, message },
    detail: {
      ...{
        param,
        code,
        provider,
        upstreamStatus,
        retryAfterMs,
        upstreamSaid,
        operatorNote,
        askedUrl,
        headers,
      },
      ...{ mayBeBilled, isStale, isBug, extra, shown: { status, type } },
    },
  }
}

export function readFailure({ kind, message, detail }: WrittenFailure): Failure {
  return new Failure(kind, message, detail)
}
