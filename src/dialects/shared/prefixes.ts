/** The prefixes that clients of OpenAI, Anthropic and Together use. */
export const everyPrefix: readonly string[] = ['/v1', '/inference', '/inference/v1']
