import { expect, test } from 'vitest'
import { abilitiesIn, hasUnusableOutput } from '../../../src/providers/openai/abilities.ts'

test.for<[string, Record<string, unknown>, object]>([
  [
    'Baseten: all it tells',
    {
      max_completion_tokens: 262_144,
      supported_features: ['tools', 'json_mode', 'structured_outputs', 'reasoning'],
      input_modalities: ['text', 'image'],
    },
    { maxOutputTokens: 262_144, tools: true, vision: true, jsonSchema: true },
  ],
  [
    'Baseten: what is not there is known not to be',
    { supported_features: ['json_mode'], input_modalities: ['text'] },
    { tools: false, vision: false, jsonSchema: false },
  ],
  ['Baseten: JSON is not spoken of', { supported_features: ['tools'] }, { tools: true }],
  [
    'OpenRouter',
    {
      architecture: { input_modalities: ['text', 'image', 'file'], output_modalities: ['text'] },
      supported_parameters: ['temperature', 'tools', 'structured_outputs'],
      top_provider: { context_length: 8192, max_completion_tokens: 4096 },
    },
    { maxOutputTokens: 4096, tools: true, vision: true, jsonSchema: true },
  ],
  [
    'Mistral',
    { capabilities: { completion_chat: true, function_calling: true, vision: false } },
    { tools: true, vision: false },
  ],
  ['a list that fills in nothing', { supported_features: [], input_modalities: [], capabilities: {} }, {}],
  ['vLLM', { id: 'm', max_model_len: 4096 }, {}],
  [
    'nonsense',
    { max_completion_tokens: '9', supported_features: 'tools', input_modalities: [7] },
    { vision: false },
  ],
])('%s', ([, row, traits]) => {
  expect(abilitiesIn(row)).toEqual(traits)
})

test.for<[Record<string, unknown>, boolean]>([
  [{ output_modalities: ['text'] }, false],
  [{ output_modalities: ['text', 'audio'] }, false],
  [{ output_modalities: ['embeddings'] }, false],
  [{ output_modalities: ['image'] }, true],
  [{ architecture: { output_modalities: ['audio'] } }, true],
  [{}, false],
])('%j answers in something else than words: %o', ([row, isOther]) => {
  expect(hasUnusableOutput(row)).toBe(isOther)
})
