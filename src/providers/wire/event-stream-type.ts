/** What the answer is, it says itself; where it says nothing, it is what was asked for. */
export function isEventStream(answer: Headed, isAskedFor: boolean): boolean {
  const type = answer.header('content-type')
  return type === undefined ? isAskedFor : /^text\/event-stream\b/i.test(type)
}

type Headed = { header(name: string): string | undefined }
