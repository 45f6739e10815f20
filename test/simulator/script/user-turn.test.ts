import { expect, test } from 'vitest'
import { families, flatten } from '../../../src/core/adapt/template.ts'
import { lastUserTurn } from '../../../src/simulator/script/user-turn.ts'

test.for([
  [
    'ChatML',
    '<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n<|im_start|>user\nt w\no<|im_end|>\n<|im_start|>assistant\n',
    't w\no',
  ],
  [
    'Llama 3',
    '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\ntwo\n<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    'two\n',
  ],
  [
    'Llama 4',
    '<|header_start|>user<|header_end|>\n\ntwo<|eot|><|header_start|>assistant<|header_end|>\n\n',
    'two',
  ],
  ['Llama 2', '<s>[INST] <<SYS>>\nbe brief\n<</SYS>>\n\ntwo [/INST]', 'two'],
  ['Mistral v1', '<s>[INST] one [/INST]1</s>[INST] two [/INST]', 'two'],
  ['Mistral v3-tekken', '[INST]one[/INST]1</s>[INST]two[/INST]', 'two'],
  ['no template', 'Once upon [a] time <|im_end|>', 'Once upon [a] time <|im_end|>'],
  ['a transcript', 'System: be brief\n\nUser: one\n\nAssistant: 1\n\nUser: t\n\nwo\n\nAssistant:', 't\n\nwo'],
  ['a transcript of one question', 'User: two\n\nAssistant:', 'two'],
  ['a transcript that a system message ends', 'User: two\n\nSystem: be brief\n\nAssistant:', 'two'],
  ['a transcript that nobody asks in', 'System: be brief\n\nAssistant:', 'System: be brief\n\nAssistant:'],
  ['a story with a User: in it', 'User: one', 'User: one'],
  ['half a template', '[INST] two', '[INST] two'],
  ['nothing', '', ''],
] as const)('the last user message of %s is found', ([, prompt, turn]) => {
  expect(lastUserTurn(prompt)).toBe(turn)
})

test('a prompt of nothing but opening marks is looked through once', () => {
  const prompt = '[INST]'.repeat(300_000)
  expect(lastUserTurn(prompt)).toBe(prompt)
})

test.for(families)('the last user message of a chat flattened for %s is found', (family) => {
  const text = 'And now?\n\n  Two "lines".'
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
    { role: 'user', content: text },
  ]
  for (const bos of [true, false]) {
    expect(lastUserTurn(flatten(messages, { family, bos }).prompt)).toBe(text)
    expect(lastUserTurn(flatten(messages.slice(-1), { family, bos }).prompt)).toBe(text)
  }
})
