import { expect, test } from 'vitest'
import { encodingOfModel } from '../../src/tokenizers/families.ts'

test.for([
  ['gpt-oss-20b', 'o200k_base'],
  ['openai/gpt-oss-120b', 'o200k_base'],
  ['gpt-oss:20b', 'o200k_base'],
  ['gpt-4o-mini', 'o200k_base'],
  ['gpt-4.1', 'o200k_base'],
  ['gpt-5.6-mini', 'o200k_base'],
  ['o1', 'o200k_base'],
  ['o3-mini', 'o200k_base'],
  ['GPT-4', 'cl100k_base'],
  ['gpt-4-turbo', 'cl100k_base'],
  ['gpt-3.5-turbo-instruct', 'cl100k_base'],
  ['openai/text-embedding-3-small', 'cl100k_base'],
  ['text-embedding-ada-002', 'cl100k_base'],
  ['davinci-002', 'cl100k_base'],
  ['mistral-7b', undefined],
  ['meta-llama/Llama-3.3-70B-Instruct', 'llama3'],
  ['meta-llama/Meta-Llama-3-8B-Instruct', 'llama3'],
  ['llama-3.1-8b', 'llama3'],
  ['llama3.3:70b', 'llama3'],
  ['llama3', 'llama3'],
  ['meta-llama/Llama-4-Scout-17B', undefined],
  ['llama-2-7b', undefined],
  ['llama-30b', undefined],
  ['Qwen/Qwen3-32B', undefined],
  ['gpt-4all-13b', undefined],
  ['my-gpt-4', undefined],
  ['gpt-ossify', undefined],
  ['o365', undefined],
  ['olmo', undefined],
  ['gpt-4/of-ours', undefined],
  ['', undefined],
] as const)('%j has %s', ([model, encoding]) => {
  expect(encodingOfModel(model)).toBe(encoding)
})
