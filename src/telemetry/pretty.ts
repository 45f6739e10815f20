import { isObject, type JsonObject, numberOf, spell } from '../core/model/json/json.ts'
import { usdText } from '../core/model/price.ts'

/** A log line for people at a terminal. Anything but a JSON object stays unchanged. */
export function prettyLine(line: string, isColored: boolean): string {
  const members = parsed(line)
  if (members === undefined) return line
  const paint = isColored ? colored : plain
  const { level, time, msg, ...rest } = members
  const at = paint('gray', typeof time === 'string' ? time.slice(11, 19) : '')
  if (msg === 'call') return `${at} ${callText(rest, paint)}\n`
  const [name, color] = levels.find(([, , least]) => numberOf(level) >= least) ?? usual
  const more = Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`)
  return `${at} ${paint(color, name)} ${[spell(msg), ...more].join(' ')}\n`
}

type Color = keyof typeof codes
type Paint = (color: Color, text: string) => string

const codes = { gray: 90, red: 31, yellow: 33, green: 32, cyan: 36 } as const

const colored: Paint = (color, text) => `\u001b[${codes[color]}m${text}\u001b[39m`
const plain: Paint = (_color, text) => text

const usual: readonly [string, Color, number] = ['INFO ', 'green', 30]
const levels: readonly (readonly [string, Color, number])[] = [
  ['ERROR', 'red', 50],
  ['WARN ', 'yellow', 40],
  usual,
  ['DEBUG', 'cyan', 20],
  ['TRACE', 'gray', 0],
]

/** Time, status, model, deployment, attempts, milliseconds, tokens, cost; and the reason of a failure. */
function callText(call: JsonObject, paint: Paint): string {
  const status = numberOf(call['status'])
  const attempts = Array.isArray(call['attempts']) ? call['attempts'].length : 0
  const failure = isObject(call['failure']) ? call['failure'] : undefined
  return [
    paint(status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green', String(status)),
    shown(call['model'] ?? call['dialect']),
    paint('cyan', shown(call['deployment'] ?? '-')),
    attempts === 1 ? '1 attempt' : `${attempts} attempts`,
    `${Math.round(numberOf(call['totalMs']))} ms`,
    tokensText(call),
    costText(call['costNanoUsd']),
    ...(failure === undefined ? [] : [paint('yellow', failureText(failure))]),
    paint('gray', shown(call['requestId'])),
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function tokensText({ promptTokens, completionTokens }: JsonObject): string {
  if (typeof promptTokens !== 'number' || typeof completionTokens !== 'number') return ''
  return `${promptTokens}+${completionTokens} tokens`
}

function costText(nanoUsd: unknown): string {
  return typeof nanoUsd === 'number' ? `$${usdText(nanoUsd)}` : ''
}

function failureText({ kind, operatorNote, causeCode }: JsonObject): string {
  return [kind, operatorNote, causeCode]
    .filter((part) => part !== undefined && part !== null)
    .map(spell)
    .join(', ')
}

/** On one line, whatever it contains. */
function shown(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value)
  return text ?? ''
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
