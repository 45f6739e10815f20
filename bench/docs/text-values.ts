import { one, type Values } from './value.ts'

/** What texts and chats have in common. */
export const sampling: Values = {
  max_tokens: one(7),
  temperature: one(0.5),
  top_p: [{ value: 0.5 }, { value: 1, label: 'top_p: 1' }],
  frequency_penalty: one(0.5),
  presence_penalty: one(0.5),
  n: one(2),
  logit_bias: one({ '50256': -100 }),
  seed: one(7),
  stop: [
    { value: 'END', label: 'stop: a string' },
    { value: ['END'], label: 'stop: a list' },
    { value: ['1', '2', '3', '4', '5'], label: 'stop: five strings' },
  ],
  stream: one(true),
  stream_options: [
    { value: { include_usage: true }, label: 'stream_options, in a stream', beside: { stream: true } },
    { value: { include_usage: true }, label: 'stream_options, without a stream' },
  ],
  user: one('u'),
}

/** Of a text. */
export const textValues: Values = {
  ...sampling,
  prompt: [
    { value: [1, 2], label: 'prompt: token ids' },
    { value: ['a', 'b'], label: 'prompt: several' },
  ],
  suffix: one('after'),
  echo: one(true),
  logprobs: one(2),
  best_of: one(2),
}

/** In place of those of a text. */
export const fimValues: Values = {
  ...without(textValues, 'prompt', 'n'),
  prompt: [],
  n: one(1),
  random_seed: one(7),
  min_tokens: one(1),
  metadata: one({ a: 'b' }),
}

function without(values: Values, ...names: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
}
