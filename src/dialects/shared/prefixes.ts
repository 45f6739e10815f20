/** Under these is everything that clients of OpenAI's, Anthropic's and Together's look for. */
export const everyPrefix: readonly string[] = ['/v1', '/inference', '/inference/v1']
