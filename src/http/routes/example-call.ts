import type { ListedModel } from '../../core/plan/router.ts'

/** An example call of this gateway for people to paste. */
export type ExampleCall = {
  /** `http://localhost:8000` */
  readonly origin: string
  /** A model that is served here; undefined: none is known by name. */
  readonly model: string | undefined
  readonly needsKey: boolean
  /** The Unix socket, if it listens on one. */
  readonly socketPath?: string | undefined
}

/** A model to show: healthy, and by its name one that generates text. */
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

/** A Node.js program, with its installation, and how to run it if the machine's Node.js is old. */
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
