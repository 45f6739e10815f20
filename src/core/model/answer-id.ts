import type { Call } from './call.ts'

/** The id of a call's answer if its upstream gives none: in OpenAI's form, and always the same for one call. */
export function answerIdOf({ id, kind }: Pick<Call, 'id' | 'kind'>): string {
  return `${kind === 'text' ? 'cmpl' : 'chatcmpl'}-${id.slice(4, 28)}`
}
