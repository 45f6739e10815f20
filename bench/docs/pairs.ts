import type { JsonObject } from '../../src/core/model/json/json.ts'
import { presetNames } from '../../src/providers/openai/presets.ts'
import { chatReply, type Said, textReply } from './answers.ts'
import type { Target } from './observed.ts'
import { type Asking, askings } from './probes.ts'

/** A way to ask, and who is asked. */
export type Pair = {
  readonly title: string
  readonly asking: Asking
  readonly target: string
}

const key = { apiKey: 'unused' }
const compatible = { type: 'openai-compatible', ...key }

const own = {
  compatible: (origin) => ({ ...compatible, baseUrl: `${origin}/v1` }),
  'text-only': (origin) => ({ ...compatible, baseUrl: `${origin}/v1`, kinds: ['text'] }),
  'chat-only': (origin) => ({ ...compatible, baseUrl: `${origin}/v1`, kinds: ['chat'] }),
  together: (origin) => ({ type: 'together', ...key, baseUrl: `${origin}/v1` }),
  baseten: (origin) => ({ type: 'baseten', ...key, baseUrl: `${origin}/v1` }),
  deployment: (origin) => ({ type: 'baseten', ...key, baseUrl: origin, deployment: { model: 'abc' } }),
  predict: (origin) => ({
    ...{ type: 'baseten', ...key, baseUrl: origin },
    ...{ deployment: { model: 'abc' }, predict: true },
  }),
  runpod: (origin) => ({ type: 'runpod', ...key, baseUrl: `${origin}/v2`, endpointId: 'abc' }),
  jobs: (origin) => ({ type: 'runpod', ...key, baseUrl: `${origin}/v2`, endpointId: 'abc', mode: 'jobs' }),
  'old-jobs': (origin) => ({
    ...{ type: 'runpod', ...key, baseUrl: `${origin}/v2`, endpointId: 'abc' },
    ...{ mode: 'jobs', worker: 'vllm-old' },
  }),
  prompts: (origin) => ({ type: 'pandotate', ...key, url: `${origin}/api/inference` }),
} as const satisfies Record<string, Target>

/** Every upstream that the page tells of, by the name its models go by. */
export const targets: Readonly<Record<string, Target>> = {
  ...own,
  ...Object.fromEntries(
    presetNames.map((preset): [string, Target] => [
      `preset-${preset}`,
      (origin) => ({ ...compatible, preset, baseUrl: `${origin}/v1` }),
    ]),
  ),
}

const any = 'any OpenAI-compatible server'

/** Every pair; the first of each way to ask is told whole, the others as far as they differ from it. */
export const pairs: readonly Pair[] = [
  { title: `Chat to ${any}`, asking: askings.chat, target: 'compatible' },
  { title: `Text to ${any}`, asking: askings.text, target: 'compatible' },
  { title: 'Anthropic’s messages to a chat', asking: askings.messages, target: 'compatible' },
  { title: 'Responses to a chat', asking: askings.responses, target: 'compatible' },
  { title: '`/inference` with a prompt to a text', asking: askings.inferenceText, target: 'compatible' },
  { title: '`/inference` with messages to a chat', asking: askings.inferenceChat, target: 'compatible' },
  { title: '`/fim/completions` to a text', asking: askings.fim, target: 'compatible' },
  { title: 'Chat to a server that has only texts', asking: askings.chat, target: 'text-only' },
  { title: 'Text to a server that has only chats', asking: askings.text, target: 'chat-only' },
  { title: 'Chat to Pandotate', asking: askings.chat, target: 'prompts' },
  { title: 'Text to Pandotate', asking: askings.text, target: 'prompts' },
  { title: 'Chat to Together', asking: askings.chat, target: 'together' },
  { title: 'Text to Together', asking: askings.text, target: 'together' },
  { title: 'Chat to Baseten’s Model APIs', asking: askings.chat, target: 'baseten' },
  { title: 'Text to Baseten’s Model APIs', asking: askings.text, target: 'baseten' },
  { title: 'Chat to a server deployed at Baseten', asking: askings.chat, target: 'deployment' },
  { title: 'Chat to a model deployed at Baseten, by `/predict`', asking: askings.chat, target: 'predict' },
  { title: 'Chat to a worker at RunPod', asking: askings.chat, target: 'runpod' },
  { title: 'Chat to a worker at RunPod, by jobs', asking: askings.chat, target: 'jobs' },
  { title: 'Chat to the old vLLM worker at RunPod, by jobs', asking: askings.chat, target: 'old-jobs' },
  { title: 'Text to the old vLLM worker at RunPod, by jobs', asking: askings.text, target: 'old-jobs' },
  ...presetNames.flatMap((preset): readonly Pair[] => [
    { title: `Chat with the preset \`${preset}\``, asking: askings.chat, target: `preset-${preset}` },
    { title: `Text with the preset \`${preset}\``, asking: askings.text, target: `preset-${preset}` },
  ]),
]

/** A way to be answered, and what an upstream's reply looks like. */
export type AnswerPair = {
  readonly title: string
  readonly asking: Asking
  readonly target: string
  readonly reply: (said: Said) => JsonObject
}

/** Every translation of an answer. Where nothing is translated, all of it reaches the caller. */
export const answerPairs: readonly AnswerPair[] = [
  {
    title: 'A chat’s answer as Anthropic’s message',
    asking: askings.messages,
    target: 'compatible',
    reply: chatReply,
  },
  {
    title: 'A chat’s answer as a response',
    asking: askings.responses,
    target: 'compatible',
    reply: chatReply,
  },
  {
    title: 'A chat’s answer at `/inference`',
    asking: askings.inferenceChat,
    target: 'compatible',
    reply: chatReply,
  },
  {
    title: 'A text’s answer at `/inference`',
    asking: askings.inferenceText,
    target: 'compatible',
    reply: textReply,
  },
  {
    title: 'A text’s answer at `/fim/completions`',
    asking: askings.fim,
    target: 'compatible',
    reply: textReply,
  },
  { title: 'A text’s answer as a chat’s', asking: askings.chat, target: 'text-only', reply: textReply },
  { title: 'A chat’s answer as a text’s', asking: askings.text, target: 'chat-only', reply: chatReply },
]
