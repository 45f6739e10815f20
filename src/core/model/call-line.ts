import type { AttemptRecord, CallRecord } from './record.ts'

/**
 * What the line of a call tells, as the log has it and JSON reads it: the members of its record, and where they are
 * not there, what a record begins with. Durations are in hundredths of a millisecond.
 */
export type CallLine = Always<'dialect' | 'stream' | 'status' | 'outcome' | 'parseMs' | 'totalMs'> &
  Always<'overheadMs' | 'slow' | 'requestBytes' | 'responseBytes'> &
  Sometimes<'principal' | 'kind' | 'deployment' | 'provider' | 'parts' | 'firstTokenMs' | 'backoffMs'> &
  Sometimes<'usageEstimated' | 'cache' | 'costEstimated' | 'baselineNanoUsd' | 'savedNanoUsd'> & {
    readonly requestId: string
    /** Cut short, where it is longer than any model's. */
    readonly model?: string
    readonly failure?: { readonly kind: string; readonly code: string | null }
    readonly attempts: readonly AttemptLine[]
    readonly promptTokens?: number
    readonly completionTokens?: number
    readonly cachedTokens?: number
    readonly reasoningTokens?: number
    /** Of a call that was planned; null where it is not known. */
    readonly costNanoUsd?: number | null
    readonly baseline?: { readonly deployment: string }
    readonly dropped?: readonly string[]
    readonly converted?: readonly string[]
    readonly flags?: readonly string[]
  }

type Always<Name extends keyof CallRecord> = Readonly<Pick<CallRecord, Name>>
type Sometimes<Name extends keyof CallRecord> = Readonly<Partial<Pick<CallRecord, Name>>>

export type AttemptLine = Readonly<Pick<AttemptRecord, 'deployment' | 'outcome' | 'startMs' | 'totalMs'>> &
  Readonly<
    Partial<Pick<AttemptRecord, 'part' | 'queuedMs' | 'headersMs' | 'firstTokenMs' | 'upstreamStatus'>>
  > &
  Readonly<Partial<Pick<AttemptRecord, 'upstreamRequestId' | 'costNanoUsd' | 'used'>>> & {
    readonly delivered?: true
    readonly resumed?: true
    readonly uncertain?: true
    readonly usageEstimated?: true
    /** The amounts that are known. */
    readonly price?: Partial<AttemptRecord['price']>
  }

/** A call that is over, as it is looked up. */
export type Generation = { readonly call: CallLine; readonly startedEpochMs: number }
