/** By the answer's content type; without one, by what was requested. */
export function isEventStream(answer: Headed, isAskedFor: boolean): boolean {
  const type = answer.header('content-type')
  return type === undefined ? isAskedFor : /^text\/event-stream\b/i.test(type)
}

type Headed = { header(name: string): string | undefined }
