import { reach } from '../../app/api.ts'
import { callHeaders } from '../../app/call-key.ts'

/** The request to each model. */
export type Asked = {
  readonly kind: 'chat' | 'completion'
  readonly model: string
  readonly system: string
  readonly turns: readonly Turn[]
  readonly isStream: boolean
  /** `temperature` and similar parameters. */
  readonly parameters: Readonly<Record<string, number | readonly string[]>>
}

export type Turn = { readonly role: 'user' | 'assistant'; readonly text: string }

/** An answer, as far as it has arrived. */
export type Outcome = {
  readonly text: string
  readonly reasoning: string
  readonly state: 'running' | 'done' | 'failed' | 'stopped'
  readonly firstTokenMs: number | undefined
  readonly totalMs: number | undefined
  readonly id: string | undefined
  readonly deployment: string | undefined
  readonly finish: string | undefined
  readonly tokens: { readonly prompt: number; readonly completion: number } | undefined
  /** From the ledger. Null: a price is not known. */
  readonly costUsd: string | null | undefined
  readonly problem: string | undefined
}

const begun: Outcome = {
  ...{ text: '', reasoning: '', state: 'running', firstTokenMs: undefined, totalMs: undefined },
  ...{ id: undefined, deployment: undefined, finish: undefined, tokens: undefined },
  ...{ costUsd: undefined, problem: undefined },
}

/** Makes the call, and reports its answer as it arrives. Never rejects. */
export async function run(
  asked: Asked,
  signal: AbortSignal,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  const startedAt = performance.now()
  let outcome = begun
  const note = (change: Partial<Outcome>) => {
    outcome = { ...outcome, ...change }
    tell(outcome)
  }
  const take = (data: unknown) => {
    const piece = pieceOf(data)
    const isFirst = outcome.firstTokenMs === undefined && piece.text + piece.reasoning !== ''
    note({
      text: outcome.text + piece.text,
      reasoning: outcome.reasoning + piece.reasoning,
      finish: piece.finish ?? outcome.finish,
      tokens: piece.tokens ?? outcome.tokens,
      problem: piece.problem ?? outcome.problem,
      ...(isFirst ? { firstTokenMs: performance.now() - startedAt } : {}),
    })
  }
  note({})
  try {
    const response = await reach(pathOf(asked), {
      ...{ method: 'POST', headers: callHeaders(), body: JSON.stringify(bodyOf(asked)), signal },
    })
    note({
      id: response.headers.get('x-request-id') ?? undefined,
      deployment: response.headers.get('x-pandotate-deployment') ?? undefined,
    })
    if (asked.isStream && response.ok) for await (const data of eventsOf(response)) take(data)
    else take(await response.json())
    note({ state: outcome.problem === undefined ? 'done' : 'failed' })
  } catch (thrown) {
    if (signal.aborted) note({ state: 'stopped' })
    else note({ state: 'failed', problem: thrown instanceof Error ? thrown.message : 'It was interrupted.' })
  }
  note({ totalMs: performance.now() - startedAt })
  if (outcome.id !== undefined && outcome.state === 'done') note(await costOf(outcome.id))
}

function pathOf({ kind }: Asked): string {
  return kind === 'chat' ? '/v1/chat/completions' : '/v1/completions'
}

export function bodyOf({ kind, model, system, turns, isStream, parameters }: Asked): object {
  const common = {
    ...{ model, ...parameters },
    ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
  }
  if (kind === 'completion') return { ...common, prompt: turns.at(-1)?.text ?? '' }
  const opening = system === '' ? [] : [{ role: 'system', content: system }]
  return { ...common, messages: [...opening, ...turns.map(({ role, text }) => ({ role, content: text }))] }
}

type Piece = Pick<Outcome, 'text' | 'reasoning' | 'finish' | 'tokens' | 'problem'>

type Wire = {
  readonly error?: { readonly message?: string }
  readonly choices?: readonly {
    readonly text?: string
    readonly delta?: Words
    readonly message?: Words
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
}

type Words = { readonly content?: string | null; readonly reasoning_content?: string | null }

function pieceOf(data: unknown): Piece {
  const { error, choices, usage } = data as Wire
  const [choice] = choices ?? []
  const words = choice?.delta ?? choice?.message
  return {
    text: choice?.text ?? words?.content ?? '',
    reasoning: words?.reasoning_content ?? '',
    finish: choice?.finish_reason ?? undefined,
    tokens: usage ? { prompt: usage.prompt_tokens, completion: usage.completion_tokens } : undefined,
    problem: error && (error.message ?? 'It failed.'),
  }
}

/** The data of server-sent events. */
async function* eventsOf({ body }: Response): AsyncGenerator<unknown, void, void> {
  let rest = ''
  for await (const text of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const data = /^data: ?(.*)$/.exec(line)?.[1]
      if (data !== undefined && data !== '[DONE]') yield JSON.parse(data)
    }
  }
}

/** Looked up after the answer: the headers of a stream are sent before its cost is known. */
async function costOf(id: string): Promise<Partial<Outcome>> {
  try {
    const response = await reach(`/v1/generation?id=${encodeURIComponent(id)}`, { headers: callHeaders() })
    if (!response.ok) return {}
    const { data } = (await response.json()) as { data: { cost_usd: string | null } }
    return { costUsd: data.cost_usd }
  } catch {
    return {}
  }
}
