/** A vocabulary that is available here. */
export type EncodingName = 'cl100k_base' | 'o200k_base' | 'llama3'

/**
 * The encoding of a model by its name with or without its owner; undefined if it is not available here. gpt-oss's
 * o200k_harmony is o200k_base with more markers, which count as plain text here.
 */
export function encodingOfModel(model: string): EncodingName | undefined {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  return families.find(([pattern]) => pattern.test(name))?.[1]
}

/** OpenAI's, as in their tiktoken; the first match wins. */
const families: readonly (readonly [RegExp, EncodingName])[] = [
  // One vocabulary from 3 to 3.3; Llama 4 has another.
  [/^(?:meta-)?llama-?v?3(?:[.p][0-3])?(?=$|[-:_])/, 'llama3'],
  [/^gpt-oss(?=$|[-:])/, 'o200k_base'],
  [/^(?:chatgpt-4o|gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|o1|o3|o4-mini)(?=$|[-.:])/, 'o200k_base'],
  [/^(?:gpt-4|gpt-3\.5|gpt-35)(?=$|[-:])/, 'cl100k_base'],
  [/^(?:text-embedding-(?:ada-002|3-small|3-large)|davinci-002|babbage-002)$/, 'cl100k_base'],
]
