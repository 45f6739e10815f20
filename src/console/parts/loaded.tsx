import type { ComponentChildren } from 'preact'
import type { Answer } from '../app/answer.ts'

type LoadedProps<Data> = {
  readonly answer: Answer<Data>
  readonly children: (data: Data) => ComponentChildren
}

/** Shows an answer, a sign that it is loading, or why there is none. Old data is dimmed, never shown as current. */
export function Loaded<Data>({ answer, children }: LoadedProps<Data>) {
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
