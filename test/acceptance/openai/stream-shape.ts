import {
  arrayAt,
  checkError,
  checkFinishReason,
  checkIdentity,
  checkInference,
  checkLogprobs,
  checkNoError,
  checkType,
  checkUsage,
  isTextOrNull,
  type Json,
  must,
  objectAt,
} from './shape.ts'

/** What was requested, as far as it decides what a stream must look like. */
export type StreamTerms = {
  readonly includesUsage: boolean
  /** Undefined: as many as come. */
  readonly choiceCount?: number | undefined
  /** False when it was left, or cut, before its end: then what came must be the beginning of a good stream. */
  readonly isWhole: boolean
}

/** Holds the text of a stream of `/completions` or `/chat/completions` to OpenAI's shape, frame by frame. */
export function checkStream(text: string, terms: StreamTerms): void {
  const payloads = payloadsOf(text, terms.isWhole)
  const state: State = { ...terms, identity: undefined, choices: new Map(), hasUsage: false }
  for (const [at, payload] of payloads.entries()) {
    const isLast = at === payloads.length - 1
    if (payload === '[DONE]') {
      must(isLast, 'something follows [DONE]')
      checkEnd(state)
      return
    }
    const chunk = objectAt(JSON.parse(payload), 'chunk')
    if ('error' in chunk) {
      checkError(chunk)
      must(isLast, 'something follows an error')
      return
    }
    checkChunk(chunk, state)
  }
  must(!terms.isWhole, 'it ends without [DONE] and without an error')
}

/** The same for `/inference`: pieces, then the whole answer's accounts, or an error. */
export function checkInferenceStream(text: string): void {
  const payloads = payloadsOf(text, true)
  const pieces = payloads.slice(0, -1).map((payload) => objectAt(JSON.parse(payload), 'piece'))
  if (payloads.at(-1) !== '[DONE]') {
    const last = objectAt(JSON.parse(payloads.at(-1) ?? 'null'), 'last frame')
    must(typeof last['error'] === 'string', 'it ends without [DONE] and without an error')
    return
  }
  checkInference(pieces.pop())
  for (const { model, output, ...rest } of pieces) {
    must(typeof model === 'string' && typeof output === 'string', 'piece')
    must(Object.keys(rest).length === 0, `a piece with ${Object.keys(rest)}`)
  }
}

/** The payload of each frame. A frame is `data: ` and one line: no other field, nor any other line end, is safe. */
export function payloadsOf(text: string, isWhole = true): readonly string[] {
  const frames = text.split('\n\n')
  const rest = frames.pop()
  must(!isWhole || rest === '', `bytes after the last frame: ${rest}`)
  const payloads = frames.filter((frame) => frame !== ': keepalive')
  for (const frame of payloads) must(/^data: \S[^\r\n]*$/.test(frame), `frame: ${frame}`)
  return payloads.map((frame) => frame.slice('data: '.length))
}

type State = StreamTerms & {
  identity: string | undefined
  readonly choices: Map<number, ChoiceState>
  hasUsage: boolean
}

type ChoiceState = { isFinished: boolean; readonly tools: Set<number> }

function checkChunk(chunk: Json, state: State): void {
  must(!state.hasUsage, 'a chunk follows the usage')
  checkNoError(chunk)
  const isChat = checkIdentity(chunk, 'chat.completion.chunk')
  checkType(isChat ? 'ChatCompletionChunk' : 'Completion', chunk)
  const identity = JSON.stringify([chunk['id'], chunk['created'], chunk['model'], chunk['object']])
  state.identity ??= identity
  must(identity === state.identity, `the identity changes from ${state.identity} to ${identity}`)
  const choices = arrayAt(chunk['choices'], 'choices')
  if (choices.length === 0) {
    must(state.includesUsage, 'a chunk without choices, though no usage was requested')
    checkUsage(chunk['usage'])
    state.hasUsage = true
    return
  }
  must(choices.length === 1, `${choices.length} choices in a chunk`)
  if (state.includesUsage) must(chunk['usage'] === null, 'a chunk without "usage": null')
  else must((chunk['usage'] ?? null) === null, 'usage that was not asked for')
  checkChoice(objectAt(choices[0], 'choice'), isChat, state)
}

function checkChoice(choice: Json, isChat: boolean, state: State): void {
  const index = Number(choice['index'])
  must(Number.isSafeInteger(choice['index']) && index >= 0, `index: ${choice['index']}`)
  const known = state.choices.get(index)
  const current = known ?? { isFinished: false, tools: new Set() }
  state.choices.set(index, current)
  must(!current.isFinished, `a chunk for choice ${index} after its end`)
  if (isChat) checkDelta(objectAt(choice['delta'], 'delta'), known === undefined, current)
  else must(typeof choice['text'] === 'string', `text: ${JSON.stringify(choice['text'])}`)
  checkLogprobs(choice['logprobs'])
  must('finish_reason' in choice, 'a choice without finish_reason')
  if (choice['finish_reason'] === null) return
  checkFinishReason(choice['finish_reason'], isChat)
  current.isFinished = true
}

/** Some clients join what is told twice: the role, a tool call's id and its name are told once. */
function checkDelta(delta: Json, isFirst: boolean, { tools }: ChoiceState): void {
  if (isFirst) must(delta['role'] === 'assistant', `role of the first delta: ${delta['role']}`)
  else must(!('role' in delta), 'the role is told twice')
  must(delta['content'] === undefined || isTextOrNull(delta['content']), 'delta.content')
  if (delta['tool_calls'] === undefined) return
  for (const fragment of arrayAt(delta['tool_calls'], 'tool_calls')) {
    const { index, id, type, function: called } = objectAt(fragment, 'tool call')
    const { name, arguments: text } = objectAt(called, 'function')
    must(Number.isSafeInteger(index) && typeof text === 'string', 'tool call fragment')
    const isOpening = !tools.has(Number(index))
    tools.add(Number(index))
    const told = [id, type, name].filter((part) => part !== undefined).length
    must(told === (isOpening ? 3 : 0), `a tool call fragment that tells ${told} of id, type and name`)
  }
}

function checkEnd({ choices, choiceCount, includesUsage, hasUsage }: State): void {
  must(choices.size > 0, 'a stream without choices')
  for (const [index, { isFinished }] of choices) must(isFinished, `choice ${index} never ends`)
  const indexes = [...choices.keys()].toSorted((one, other) => one - other)
  must(
    indexes.every((index, at) => index === at),
    `indexes: ${indexes}`,
  )
  if (choiceCount !== undefined) must(choices.size === choiceCount, `${choices.size} choices`)
  must(hasUsage === includesUsage, hasUsage ? 'usage' : 'no usage at the end')
}
