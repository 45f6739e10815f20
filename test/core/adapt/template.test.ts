import { describe, expect, test } from 'vitest'
import { type Family, families, familyOf, flatten } from '../../../src/core/adapt/template.ts'

type Message = { role: string; content?: unknown }

const system = { role: 'system', content: 'Be brief.' }
const question = { role: 'user', content: 'Hi' }
const answer = { role: 'assistant', content: 'Hello!' }
const followUp = { role: 'user', content: 'Why?' }
const start = { role: 'assistant', content: 'Because ' }

describe('the family of a model', () => {
  test.for<[string, Family]>([
    ['mistral-7b', 'mistral'],
    ['mistralai/Mistral-7B-Instruct-v0.1', 'mistral'],
    ['mistralai/Mistral-7B-Instruct-v0.2', 'mistral'],
    ['mixtral', 'mistral'],
    ['mistralai/Mixtral-8x7B-Instruct-v0.1', 'mistral'],
    ['mistralai/Mistral-7B-Instruct-v0.3', 'mistral-v3'],
    ['mistralai/Mixtral-8x22B-Instruct-v0.1', 'mistral-v3'],
    ['mistralai/Codestral-22B-v0.1', 'mistral-v3'],
    ['mistral-3b', 'mistral-tekken'],
    ['mistralai/Ministral-8B-Instruct-2410', 'mistral-tekken'],
    ['mistralai/Mistral-Nemo-Instruct-2407', 'mistral-tekken'],
    ['mistralai/Mistral-Small-24B-Instruct-2501', 'mistral-tekken'],
    ['mistralai/Mistral-Small-Instruct-2409', 'mistral-v3'],
    ['llama-2-7b-chat', 'llama2'],
    ['meta-llama/Llama-2-70b-chat-hf', 'llama2'],
    ['codellama', 'llama2'],
    ['codellama/CodeLlama-34b-Instruct-hf', 'llama2'],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'llama3'],
    ['meta-llama/Meta-Llama-3.1-8B-Instruct', 'llama3'],
    ['llama3:8b', 'llama3'],
    ['nvidia/Llama-3.1-Nemotron-70B-Instruct-HF', 'llama3'],
    ['accounts/fireworks/models/llama-v3p1-8b-instruct', 'llama3'],
    ['meta-llama/Llama-4-Scout-17B-16E-Instruct', 'llama4'],
    ['Qwen/Qwen2.5-7B', 'chatml'],
    ['qwen3', 'chatml'],
    ['NousResearch/Hermes-3-Llama-3.1-8B', 'chatml'],
    ['dolphin-2.6-mixtral-8x7b', 'chatml'],
    ['Open-Orca/Mistral-7B-OpenOrca', 'chatml'],
    ['01-ai/Yi-34B-Chat', 'chatml'],
    ['deepseek-ai/DeepSeek-R1-Distill-Llama-70B', 'raw'],
    ['codellama/CodeLlama-70b-Instruct-hf', 'raw'],
    ['TinyLlama/TinyLlama-1.1B-Chat-v1.0', 'raw'],
    ['huggyllama/llama-30b', 'raw'],
    ['google/gemma-2-9b-it', 'raw'],
    ['trying-hard', 'raw'],
    ['', 'raw'],
  ])('%s is %s', ([model, family]) => {
    expect(familyOf(model)).toBe(family)
  })

  test('only the beginning of a name of a megabyte is read', () => {
    expect(familyOf('mistral'.repeat(150_000))).toBe('mistral')
  })
})

type Vectors = {
  family: Family
  bos: string
  stop: string[]
  /** One question. */
  single: string
  /** System text and a question. */
  instructed: string
  /** Question, answer, question. */
  turns: string
  /** System text, question, answer, question. */
  instructedTurns: string
  /** A question, and the beginning of its answer. */
  continued: string
}

const vectors: Vectors[] = [
  {
    family: 'mistral',
    bos: '<s>',
    stop: ['</s>', '[INST]'],
    single: '[INST] Hi [/INST]',
    instructed: '[INST] Be brief.\n\nHi [/INST]',
    turns: '[INST] Hi [/INST] Hello!</s>[INST] Why? [/INST]',
    instructedTurns: '[INST] Be brief.\n\nHi [/INST] Hello!</s>[INST] Why? [/INST]',
    continued: '[INST] Hi [/INST] Because ',
  },
  {
    family: 'mistral-v3',
    bos: '<s>',
    stop: ['</s>', '[INST]'],
    single: '[INST] Hi[/INST]',
    instructed: '[INST] Be brief.\n\nHi[/INST]',
    turns: '[INST] Hi[/INST] Hello!</s>[INST] Why?[/INST]',
    instructedTurns: '[INST] Be brief.\n\nHi[/INST] Hello!</s>[INST] Why?[/INST]',
    continued: '[INST] Hi[/INST] Because ',
  },
  {
    family: 'mistral-tekken',
    bos: '<s>',
    stop: ['</s>', '[INST]'],
    single: '[INST]Hi[/INST]',
    instructed: '[INST]Be brief.\n\nHi[/INST]',
    turns: '[INST]Hi[/INST]Hello!</s>[INST]Why?[/INST]',
    instructedTurns: '[INST]Be brief.\n\nHi[/INST]Hello!</s>[INST]Why?[/INST]',
    continued: '[INST]Hi[/INST]Because ',
  },
  {
    family: 'llama2',
    bos: '<s>',
    stop: ['</s>', '[INST]'],
    single: '[INST] Hi [/INST]',
    instructed: '[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]',
    turns: '[INST] Hi [/INST] Hello! </s><s>[INST] Why? [/INST]',
    instructedTurns: '[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello! </s><s>[INST] Why? [/INST]',
    continued: '[INST] Hi [/INST] Because ',
  },
  {
    family: 'llama3',
    bos: '<|begin_of_text|>',
    stop: ['<|eot_id|>', '<|eom_id|>'],
    single: `${header3('user')}Hi<|eot_id|>${header3('assistant')}`,
    instructed: `${header3('system')}Be brief.<|eot_id|>${header3('user')}Hi<|eot_id|>${header3('assistant')}`,
    turns:
      `${header3('user')}Hi<|eot_id|>${header3('assistant')}Hello!<|eot_id|>` +
      `${header3('user')}Why?<|eot_id|>${header3('assistant')}`,
    instructedTurns:
      `${header3('system')}Be brief.<|eot_id|>${header3('user')}Hi<|eot_id|>` +
      `${header3('assistant')}Hello!<|eot_id|>${header3('user')}Why?<|eot_id|>${header3('assistant')}`,
    continued: `${header3('user')}Hi<|eot_id|>${header3('assistant')}Because `,
  },
  {
    family: 'llama4',
    bos: '<|begin_of_text|>',
    stop: ['<|eot|>', '<|eom|>'],
    single: `${header4('user')}Hi<|eot|>${header4('assistant')}`,
    instructed: `${header4('system')}Be brief.<|eot|>${header4('user')}Hi<|eot|>${header4('assistant')}`,
    turns:
      `${header4('user')}Hi<|eot|>${header4('assistant')}Hello!<|eot|>` +
      `${header4('user')}Why?<|eot|>${header4('assistant')}`,
    instructedTurns:
      `${header4('system')}Be brief.<|eot|>${header4('user')}Hi<|eot|>` +
      `${header4('assistant')}Hello!<|eot|>${header4('user')}Why?<|eot|>${header4('assistant')}`,
    continued: `${header4('user')}Hi<|eot|>${header4('assistant')}Because `,
  },
  {
    family: 'chatml',
    bos: '',
    stop: ['<|im_end|>', '<|im_start|>'],
    single: '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    instructed:
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    turns:
      '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n' +
      '<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n',
    instructedTurns:
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n' +
      '<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n',
    continued: '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nBecause ',
  },
  {
    family: 'raw',
    bos: '',
    stop: ['\nUser:'],
    single: 'Hi',
    instructed: 'System: Be brief.\n\nUser: Hi\n\nAssistant:',
    turns: 'User: Hi\n\nAssistant: Hello!\n\nUser: Why?\n\nAssistant:',
    instructedTurns: 'System: Be brief.\n\nUser: Hi\n\nAssistant: Hello!\n\nUser: Why?\n\nAssistant:',
    continued: 'User: Hi\n\nAssistant: Because ',
  },
]

test('every family has its test vectors', () => {
  expect(vectors.map(({ family }) => family)).toEqual(families)
})

describe.for(vectors)('a conversation for $family', (vector) => {
  const { family } = vector
  const conversations: [keyof Vectors, Message[]][] = [
    ['single', [question]],
    ['instructed', [system, question]],
    ['turns', [question, answer, followUp]],
    ['instructedTurns', [system, question, answer, followUp]],
    ['continued', [question, start]],
  ]

  test.for(conversations)('%s is written exactly', ([name, messages]) => {
    expect(flatten(messages, { family }).prompt).toBe(vector[name])
    expect(flatten(messages, { family, bos: true }).prompt).toBe(`${vector.bos}${vector[name]}`)
  })

  test('names the stop strings of an answer', () => {
    expect(flatten([system, question], { family }).stop).toEqual(vector.stop)
  })

  test('an empty final assistant message only requests the answer', () => {
    for (const content of ['', null]) {
      const messages = [system, question, { role: 'assistant', content }]
      expect(flatten(messages, { family }).prompt).toBe(vector.instructed)
    }
  })

  test('the role developer counts as system', () => {
    const messages = [{ role: 'developer', content: 'Be brief.' }, question]
    expect(flatten(messages, { family }).prompt).toBe(vector.instructed)
  })
})

test('a single question to an unknown model needs no stop string', () => {
  expect(flatten([question], { family: 'raw' })).toEqual({ prompt: 'Hi', stop: [] })
})

test('Llama contents are trimmed, except the end of a text to be continued', () => {
  const messages = [
    { role: 'user', content: '  Hi\n' },
    { role: 'assistant', content: ' Well, \n' },
  ]
  expect(flatten(messages, { family: 'llama3' }).prompt).toBe(
    `${header3('user')}Hi<|eot_id|>${header3('assistant')}Well, \n`,
  )
  expect(flatten(messages, { family: 'llama2' }).prompt).toBe('[INST] Hi [/INST] Well, \n')
})

test('ChatML contents are not trimmed', () => {
  expect(flatten([{ role: 'user', content: ' Hi\n' }], { family: 'chatml' }).prompt).toBe(
    '<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\n',
  )
})

function header3(role: string): string {
  return `<|start_header_id|>${role}<|end_header_id|>\n\n`
}

function header4(role: string): string {
  return `<|header_start|>${role}<|header_end|>\n\n`
}
