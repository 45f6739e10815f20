import { checkType, type Json, must, objectAt } from '../openai/shape.ts'

/** An answer of `/responses`, or of one that is kept: the response itself, its deletion, or a list of its input. */
export function checkResponse(value: unknown): void {
  const body = objectAt(value, 'body')
  must(typeof body['object'] === 'string', `object: ${body['object']}`)
  if (body['object'] === 'response' && body['deleted'] !== true) checkType('Response', body)
}

/**
 * Holds the text of a stream of `/responses` to OpenAI's shape: every event named, of its type, numbered from 0, and
 * the last of them one that ends a response.
 */
export function checkResponseStream(text: string, isWhole: boolean): void {
  const frames = text.split('\n\n')
  const rest = frames.pop()
  must(!isWhole || rest === '', `bytes after the last frame: ${rest}`)
  const events = frames.filter((frame) => frame !== ': keepalive' && frame !== 'data: [DONE]').map(eventOf)
  for (const [at, event] of events.entries()) {
    checkType('ResponseStreamEvent', event)
    must(event['sequence_number'] === at, `sequence_number ${event['sequence_number']} of event ${at}`)
  }
  if (isWhole) must(endings.has(events.at(-1)?.['type']), `it ends with ${events.at(-1)?.['type']}`)
}

const endings: ReadonlySet<unknown> = new Set([
  ...['response.completed', 'response.incomplete', 'response.failed', 'error'],
])

function eventOf(frame: string): Json {
  const [, name, data = ''] = /^event: (\S+)\ndata: (\S[^\r\n]*)$/.exec(frame) ?? []
  must(name !== undefined, `frame: ${frame}`)
  const event = objectAt(JSON.parse(data), 'event')
  must(event['type'] === name, `an event named ${name} of type ${event['type']}`)
  return event
}
