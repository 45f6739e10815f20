import type { ComponentChildren } from 'preact'
import type { Answer } from '../app/answer.ts'

type ToldProps<Data> = {
  readonly answer: Answer<Data>
  readonly children: (data: Data) => ComponentChildren
}

/** Shows an answer; that it is on its way; or why there is none. What is old is dimmed, never passed off as new. */
export function Told<Data>({ answer, children }: ToldProps<Data>) {
  const { data, refusal, isAsking, again } = answer
  return (
    <>
      {refusal !== undefined && (
        <p class="notice bad" role="alert">
          {refusal.message}{' '}
          <button type="button" class="plain" onClick={again}>
            Try again
          </button>
        </p>
      )}
      {data === undefined ? (
        refusal === undefined && <output class="loading">Loading…</output>
      ) : isAsking || refusal !== undefined ? (
        <div class="old">{children(data)}</div>
      ) : (
        children(data)
      )}
    </>
  )
}
