import type { ListedModel } from '../../core/plan/router.ts'

/** The parameters of an example call to paste. */
export type ExampleCall = {
  /** `http://localhost:8000` */
  readonly origin: string
  /** A model of this gateway; undefined if none is known by name. */
  readonly model: string | undefined
  readonly needsKey: boolean
  /** The Unix socket, if the gateway listens on one. */
  readonly socketPath?: string | undefined
}

/** A model for an example: healthy, and by its name one that generates text. */
export function exampleModel(
  models: readonly ListedModel[],
  isHealthy: (model: string) => boolean = () => true,
): string | undefined {
  const generators = models.filter(({ id }) => !/embed|rerank|\bbge\b|\be5\b|guard|whisper|tts/i.test(id))
  const listed = generators.length === 0 ? models : generators
  return (listed.find(({ id }) => isHealthy(id)) ?? listed[0])?.id
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

/** A Node.js program, with the commands to install and run it. */
export function sdkExample({ origin, model, needsKey }: ExampleCall): string {
  const key = needsKey ? 'process.env.GATEWAY_KEY' : "'unused'"
  return `// hello.mjs: npm install openai && node hello.mjs
// With an old version of Node.js: npx -y node@24 hello.mjs
import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: ${key} })
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model ?? 'MODEL')},
  messages: [{ role: 'user', content: 'Hello!' }],
})
console.log(answer.choices[0].message.content)`
}
