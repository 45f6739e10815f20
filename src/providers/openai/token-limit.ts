import { Failure } from '../../core/model/failure.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import { createLruMap } from '../../core/model/lru-map.ts'
import type { Attempt } from '../../core/model/ports.ts'
import { readErrorBody } from '../http-error/error-body.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'

/** The field for the maximum number of output tokens has two names. Some servers refuse one, some the other. */
export interface TokenLimitNames {
  /**
   * Sends a request with the name that its model is known to accept. If the server refuses that name, the request is
   * sent once more with the other name, which is remembered for the model.
   */
  send(body: JsonText, attempt: Attempt, post: Post): Promise<WireAnswer>
}

type Post = (body: JsonText) => Promise<WireAnswer>

export function createTokenLimitNames(): TokenLimitNames {
  const known = createLruMap<Name>(mostModels)
  return {
    send(body, attempt, post) {
      const model = attempt.upstreamModel
      const taken = known.get(model)
      const named = taken === undefined ? body : withName(body, taken, attempt)
      const sent = post(named)
      const used = namesIn(named)
      if (used.length === 0) return sent
      return sent.then(async (answer) => {
        if (answer.status !== 400 && answer.status !== 422) return answer
        const text = await readable(answer)
        const refused = refusedName(text, used)
        if (refused === undefined) return answerWith(answer, text)
        const other = names.find((name) => name !== refused) ?? refused
        if (model.length <= longestName) known.set(model, other)
        return await post(withName(named, other, attempt))
      })
    },
  }
}

type Name = (typeof names)[number]

const names = ['max_tokens', 'max_completion_tokens'] as const

const mostModels = 1000
const longestName = 256

/** Longer than any error body of a known server. */
const errorBytes = 64 * 1024

function namesIn({ value }: JsonText): readonly Name[] {
  return names.filter((name) => (value[name] ?? null) !== null)
}

function withName(body: JsonText, name: Name, { notes }: Attempt): JsonText {
  const [given] = namesIn(body).filter((each) => each !== name)
  if (given === undefined) return body
  notes.converted.push(`${given} to ${name}`)
  return body.with({ [given]: undefined, [name]: body.value[name] ?? body.value[given] })
}

/** The name that the server does not know; errors about the value do not count. */
function refusedName(text: string, used: readonly Name[]): Name | undefined {
  const { message = '', code = '', param = '' } = readErrorBody(text)
  const isUnknown = unknown.test(message) || unknownCodes.has(code)
  if (!isUnknown) return undefined
  const named = used.find((name) => param === name || param.endsWith(`.${name}`))
  if (named !== undefined) return named
  // The name that is mentioned first is the refused one; the other is a suggestion.
  return used
    .toSorted((one, other) => placeIn(message, one) - placeIn(message, other))
    .find((name) => placeIn(message, name) < message.length)
}

function placeIn(message: string, name: Name): number {
  const at = message.search(new RegExp(`(?<![a-z_])${name}(?![a-z_])`))
  return at === -1 ? message.length : at
}

const unknown =
  /unsupported (?:parameter|value|field|argument)|not supported|unrecognized|unknown|unexpected|not permitted|extra (?:inputs|fields)|not allowed|does not support/i

const unknownCodes: ReadonlySet<string> = new Set([
  'unsupported_parameter',
  'unknown_parameter',
  'extra_forbidden',
])

/** The body; '' if it cannot be read. */
async function readable(answer: WireAnswer): Promise<string> {
  try {
    return await answer.text(errorBytes)
  } catch (thrown) {
    if (thrown instanceof Failure && (thrown.kind === 'invalid_response' || thrown.kind === 'interrupted'))
      return ''
    throw thrown
  }
}

/** An answer whose body was read, for the next reader. */
function answerWith(answer: WireAnswer, text: string): WireAnswer {
  return {
    status: answer.status,
    header: (name) => answer.header(name),
    text: () => text,
    async *chunks() {
      yield Buffer.from(text)
    },
    discard: () => undefined,
  }
}
