import type { ListedModel } from '../../core/plan/router.ts'

/** What a call to this gateway takes, for people to paste. */
export type ExampleCall = {
  /** `http://localhost:8000` */
  readonly origin: string
  /** A model that is served here; undefined: none is known by name. */
  readonly model: string | undefined
  readonly needsKey: boolean
  /** Of the socket, where it listens on one. */
  readonly socketPath?: string | undefined
}

/** A model to show: one that answers in words, as far as its name tells, and is well. */
export function exampleModel(
  models: readonly ListedModel[],
  isWell: (model: string) => boolean = () => true,
): string | undefined {
  const talkers = models.filter(({ id }) => !/embed|rerank|\bbge\b|\be5\b|guard|whisper|tts/i.test(id))
  const listed = talkers.length === 0 ? models : talkers
  return (listed.find(({ id }) => isWell(id)) ?? listed[0])?.id
}

/** A shell command. `$GATEWAY_KEY` stands for the caller's key. */
export function curlExample({ origin, model, needsKey, socketPath }: ExampleCall): string {
  const body = JSON.stringify({ model: model ?? 'MODEL', messages: [{ role: 'user', content: 'Hello!' }] })
  const place = socketPath === undefined ? origin : `--unix-socket ${socketPath} ${origin}`
  return [
    `curl ${place}/v1/chat/completions -H 'Content-Type: application/json'`,
    ...(needsKey ? [`  -H "Authorization: Bearer $GATEWAY_KEY"`] : []),
    `  -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ].join(' \\\n')
}

/** A program for Node.js, with what to install, and how it runs where the machine's own Node.js is old. */
export function sdkExample({ origin, model, needsKey }: ExampleCall): string {
  const key = needsKey ? 'process.env.GATEWAY_KEY' : "'unused'"
  return `// hello.mjs: npm install openai && node hello.mjs
// Where your own Node.js is old: npx -y node@24 hello.mjs
import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: ${key} })
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model ?? 'MODEL')},
  messages: [{ role: 'user', content: 'Hello!' }],
})
console.log(answer.choices[0].message.content)`
}
