import { type JsonScenario, postFor, type StreamScenario } from '../setup/scenarios.ts'
import type { Target } from '../setup/targets.ts'
import { answerText, openaiUsage } from '../upstream/replies.ts'
import { chunkText } from '../upstream/stream-script.ts'
import { openConnection, requestBytes } from './connection.ts'

/** Asks once and reads the answer with care; throws unless it says what the upstream said. */
export async function probeJson(target: Probed, scenario: JsonScenario): Promise<void> {
  const text = await exchange(target, scenario)
  JSON.parse(text)
  for (const part of [answerText, `"completion_tokens":${openaiUsage.completion_tokens}`]) {
    if (!text.includes(part)) throw new Error(`${target.name}, ${scenario.title}: wrong answer: ${text}`)
  }
}

/** The same for a stream: its text, its usage and its end. */
export async function probeStream(target: Probed, scenario: StreamScenario): Promise<void> {
  const frames = (await exchange(target, scenario))
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: '))
  const last = frames.pop()
  const chunks = frames.map((frame) => JSON.parse(frame.slice('data: '.length)) as Chunk)
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
  const whole = text === chunkText(5).repeat(scenario.chunks)
  const used = chunks.at(-1)?.usage?.completion_tokens === openaiUsage.completion_tokens
  if (!whole || !used || last !== 'data: [DONE]') {
    throw new Error(
      `${target.name}, ${scenario.title}: wrong stream, it ends: ${frames.slice(-3).join('\n')}\n${last}`,
    )
  }
}

/** What of a target a probe needs. */
export type Probed = Pick<Target, 'name' | 'routes' | 'port'>

type Chunk = {
  readonly choices: readonly { readonly delta: { readonly content?: string | null } }[]
  readonly usage?: { readonly completion_tokens?: number } | null
}

async function exchange(target: Probed, scenario: JsonScenario | StreamScenario): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const parts: Buffer[] = []
  const connection = openConnection(target.port, reject)
  const request = requestBytes({ port: target.port, ...postFor(scenario, target) })
  connection.send(request, { body: (bytes) => parts.push(Buffer.from(bytes)), end: resolve })
  await promise
  connection.close()
  return Buffer.concat(parts).toString()
}
