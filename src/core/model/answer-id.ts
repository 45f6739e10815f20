import type { Call } from './call.ts'

/** The id of a call's answer where its upstream gives it none: like OpenAI's, and always the same for one call. */
export function answerIdOf({ id, kind }: Pick<Call, 'id' | 'kind'>): string {
  return `${kind === 'text' ? 'cmpl' : 'chatcmpl'}-${id.slice(4, 28)}`
}
