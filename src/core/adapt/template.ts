import { Failure } from '../model/failure.ts'
import { isObject, spell } from '../model/json/json.ts'

/** The prompt templates of model families; `raw` is a plain transcript for an unknown family. */
export const families = [
  'mistral',
  'mistral-v3',
  'mistral-tekken',
  'llama2',
  'llama3',
  'llama4',
  'chatml',
  'raw',
] as const

/** One of `families`. */
export type Family = (typeof families)[number]

/** A prompt for an upstream without messages, and the stop strings of its template. */
export type FlatPrompt = { readonly prompt: string; readonly stop: readonly string[] }

/** The family of a model by its name, in any host's spelling; `raw` if it is unknown. */
export function familyOf(model: string): Family {
  // The name comes from the caller, so a hostile one may be very long.
  const name = model.slice(0, 256).toLowerCase()
  return familyNames.find(([pattern]) => pattern.test(name))?.[1] ?? 'raw'
}

/**
 * Writes OpenAI chat messages as one prompt for the next assistant message, or for the rest of a final assistant
 * message. Control tokens inside messages are neutralised, so that the prompt has only the template's own. `bos` adds
 * the family's first token, for an upstream that does not. Throws Failure: `unsupported` for what text cannot express
 * (tools, images), `invalid_request` for invalid messages.
 */
export function flatten(
  messages: unknown,
  { family, bos = false }: { readonly family: Family; readonly bos?: boolean | undefined },
): FlatPrompt {
  const turns = turnsOf(messages)
  const [first] = turns
  if (family === 'raw' && turns.length === 1 && first?.role === 'user')
    return { prompt: first.text, stop: [] }
  const template = templates[family]
  return { prompt: (bos ? template.bos : '') + template.write(turns), stop: template.stop }
}

type Turn = { readonly role: 'system' | 'user' | 'assistant'; readonly text: string }

type Template = {
  readonly bos: string
  readonly stop: readonly string[]
  readonly write: (turns: readonly Turn[]) => string
}

/** The first match wins, so a fine-tune with its own template comes before its base model. */
const familyNames: readonly (readonly [RegExp, Family])[] = [
  [/deepseek|tinyllama|mistrallite|vicuna|alpaca|hermes-llama-?2|code-?llama-70b/, 'raw'],
  [/chatml|qwen|qwq|hermes|dolphin|openorca|(?:^|[^a-z])yi(?:[^a-z]|$)/, 'chatml'],
  [/mistral-(?:nemo|3b|medium|large-2411|small-(?:24b|25|3))/, 'mistral-tekken'],
  [/ministral|pixtral|magistral|devstral/, 'mistral-tekken'],
  [/mistral.*v0\.3|mixtral.*8x22b|mistral-(?:small|large)|codestral|mathstral/, 'mistral-v3'],
  [/mistral|mixtral/, 'mistral'],
  [/llama[-_ ]?v?4(?![0-9b])/, 'llama4'],
  [/llama[-_ ]?v?3(?![0-9b])/, 'llama3'],
  [/llama[-_ ]?v?2(?![0-9b])|code-?llama/, 'llama2'],
]

/** The text around both sides of an exchange: `[INST] question [/INST] answer</s>`. */
type ExchangeMarks = {
  readonly open: string
  readonly close: string
  /** Before an answer that is not empty. */
  readonly lead: string
  readonly end: string
}

/** The text around every message: `<|im_start|>user⏎ text <|im_end|>`. */
type HeaderMarks = { readonly open: string; readonly close: string; readonly end: string }

const llama2Marks = { open: '<s>[INST] ', close: ' [/INST]', lead: ' ', end: ' </s>' }
const llama3Marks = { open: '<|start_header_id|>', close: '<|end_header_id|>\n\n', end: '<|eot_id|>' }
const llama4Marks = { open: '<|header_start|>', close: '<|header_end|>\n\n', end: '<|eot|>' }
const chatmlMarks = { open: '<|im_start|>', close: '\n', end: '<|im_end|>\n' }

const instructionStop = ['</s>', '[INST]']
const llama3Stop = ['<|eot_id|>', '<|eom_id|>']
const llama4Stop = ['<|eot|>', '<|eom|>']
const chatmlStop = ['<|im_end|>', '<|im_start|>']

const templates: Readonly<Record<Family, Template>> = {
  mistral: mistral({ open: '[INST] ', close: ' [/INST]', lead: ' ', end: '</s>' }),
  'mistral-v3': mistral({ open: '[INST] ', close: '[/INST]', lead: ' ', end: '</s>' }),
  'mistral-tekken': mistral({ open: '[INST]', close: '[/INST]', lead: '', end: '</s>' }),
  llama2: { bos: '<s>', stop: instructionStop, write: writeLlama2 },
  llama3: {
    bos: '<|begin_of_text|>',
    stop: llama3Stop,
    write: (turns) => writeHeaded(turns.map(trimmed), llama3Marks),
  },
  llama4: {
    bos: '<|begin_of_text|>',
    stop: llama4Stop,
    write: (turns) => writeHeaded(turns.map(trimmed), llama4Marks),
  },
  chatml: { bos: '', stop: chatmlStop, write: (turns) => writeHeaded(turns, chatmlMarks) },
  raw: { bos: '', stop: ['\nUser:'], write: writeTranscript },
}

function mistral(marks: ExchangeMarks): Template {
  return { bos: '<s>', stop: instructionStop, write: (turns) => writeExchanges(turns, marks) }
}

/** Leading system text goes into the first question; every exchange but the first begins with another `<s>`. */
function writeLlama2(turns: readonly Turn[]): string {
  const spoken = turns.map(trimmed)
  const start = spoken.findIndex((turn) => turn.role !== 'system')
  const leading = spoken.slice(0, start === -1 ? spoken.length : start)
  const system = leading.reduce((text, turn) => paragraphs(text, turn.text), '')
  const head: Turn[] = leading.length === 0 ? [] : [{ role: 'system', text: `<<SYS>>\n${system}\n<</SYS>>` }]
  const written = writeExchanges([...head, ...spoken.slice(leading.length)], llama2Marks)
  return written.slice('<s>'.length)
}

type Exchange = { question: string; answer: string | undefined }

/**
 * These templates know only alternating questions and answers: system text joins the question after it, and neighbours
 * on the same side are joined with a blank line.
 */
function writeExchanges(turns: readonly Turn[], marks: ExchangeMarks): string {
  const exchanges = exchangesOf(turns)
  const last = exchanges.length - 1
  let prompt = ''
  exchanges.forEach(({ question, answer }, at) => {
    prompt += marks.open + question + marks.close
    if (answer) prompt += marks.lead + answer
    if (at < last) prompt += marks.end
  })
  return prompt
}

function exchangesOf(turns: readonly Turn[]): readonly Exchange[] {
  const exchanges: Exchange[] = []
  for (const { role, text } of turns) {
    const current = exchanges.at(-1)
    if (role === 'assistant') {
      if (current === undefined) exchanges.push({ question: '', answer: text })
      else current.answer = paragraphs(current.answer ?? '', text)
    } else if (current === undefined || current.answer !== undefined) {
      exchanges.push({ question: text, answer: undefined })
    } else {
      current.question = paragraphs(current.question, text)
    }
  }
  return exchanges
}

function paragraphs(before: string, after: string): string {
  if (before === '' || after === '') return before + after
  return `${before}\n\n${after}`
}

function writeHeaded(turns: readonly Turn[], { open, close, end }: HeaderMarks): string {
  const prompt = turns.map(({ role, text }) => open + role + close + text).join(end)
  return turns.at(-1)?.role === 'assistant' ? prompt : `${prompt}${end}${open}assistant${close}`
}

const labels = { system: 'System:', user: 'User:', assistant: 'Assistant:' } as const

function writeTranscript(turns: readonly Turn[]): string {
  const prompt = turns.map(entryOf).join('\n\n')
  return turns.at(-1)?.role === 'assistant' ? prompt : `${prompt}\n\n${labels.assistant}`
}

function entryOf({ role, text }: Turn): string {
  return text === '' ? labels[role] : `${labels[role]} ${indentLabels(text)}`
}

/** A line that looks like a turn of the transcript is indented by a space: it is quoted, not a real turn. */
function indentLabels(text: string): string {
  return text.replace(/(?<=[\n\r\u2028\u2029])(?=(?:System|User|Assistant):)/g, ' ')
}

/** Trimmed, as Llama's own templates do; but a text to be continued keeps its end. */
function trimmed(turn: Turn, at: number, turns: readonly Turn[]): Turn {
  const continued = turn.role === 'assistant' && at === turns.length - 1
  return { role: turn.role, text: continued ? turn.text.trimStart() : turn.text.trim() }
}

function turnsOf(messages: unknown): readonly Turn[] {
  if (!Array.isArray(messages)) throw invalid('messages', 'must be an array of messages')
  if (messages.length === 0) throw invalid('messages', 'must hold at least one message')
  return messages.map((message: unknown, at) => turnOf(message, `messages[${at}]`))
}

/** Fields besides the content without which a conversation makes no sense. */
const fieldsBesideContent = ['tool_calls', 'function_call', 'audio']

function turnOf(message: unknown, path: string): Turn {
  if (!isObject(message)) throw invalid(path, 'must be an object')
  const role = roles.get(message['role'])
  if (role === undefined) {
    throw unsupported(`${path}.role`, `must be one of ${[...roles.keys()].map(spell).join(', ')}`)
  }
  for (const field of fieldsBesideContent) {
    if (!isEmpty(message[field])) throw unsupported(`${path}.${field}`, 'cannot be sent')
  }
  return { role, text: neutralise(textOf(message['content'], `${path}.content`)) }
}

const roles: ReadonlyMap<unknown, Turn['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
])

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

function textOf(content: unknown, path: string): string {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(path, 'must be a string or an array of content parts')
  return content.map((part: unknown, at) => textOfPart(part, `${path}[${at}]`)).join('\n')
}

function textOfPart(part: unknown, path: string): string {
  if (!isObject(part) || part['type'] !== 'text') throw unsupported(path, 'must be a text part')
  const text = part['text']
  if (typeof text !== 'string') throw invalid(`${path}.text`, 'must be a string')
  return text
}

/**
 * Puts a space after the first character of anything that a tokenizer could read as a control token. No control token
 * contains a space, so this creates none. Only that one character is consumed, so overlapping tokens are all found. A
 * name ends at the next `<` or `[`, so time is linear, and no match crosses a mark of the template.
 */
function neutralise(text: string): string {
  return text.replace(controlToken, '$& ')
}

/** In addition to the families above: DeepSeek's, with full-width bars, and Gemma's. */
const controlToken =
  /<(?=\/?s>|<\/?SYS>>|[|\uff5c][^\s<>|\uff5c[\]]+[|\uff5c]>|(?:start|end)_of_turn>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])/g

function invalid(path: string, must: string): Failure {
  return new Failure('invalid_request', `${path} ${must}.`, { param: path })
}

function unsupported(path: string, must: string): Failure {
  const message = `${path} ${must}: this model is served from a plain text prompt.`
  return new Failure('unsupported', message, { param: path })
}
