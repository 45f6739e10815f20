import type { Kind, RelayKind } from '../../core/model/terms.ts'
import type { Quirks } from './quirks.ts'

/** The paths on the host. A configured path is used as it is; others keep the address's query. */
export function pathsOf(baseUrl: string, { paths, healthPath }: Pick<Quirks, 'paths' | 'healthPath'>) {
  const { pathname, search } = new URL(baseUrl)
  const prefix = pathname.replace(/\/+$/, '')
  const usual = {
    chat: `${prefix}/chat/completions${search}`,
    text: `${prefix}/completions${search}`,
    embeddings: `${prefix}/embeddings${search}`,
    rerank: `${prefix}/rerank${search}`,
  }
  const calls: Readonly<Partial<Record<Kind | RelayKind, string>>> = paths ?? usual
  return {
    chat: calls.chat,
    text: calls.text,
    embeddings: calls.embeddings,
    rerank: calls.rerank,
    models: `${prefix}/models${search}`,
    health: healthPath === undefined ? undefined : `${prefix.replace(/\/v1$/, '')}${healthPath}`,
  }
}

/**
 * The default paths of the only kinds there are. Of a preset's others only what it lists is known; a server has all.
 */
export function pathsOfKinds(
  baseUrl: string,
  given: readonly Kind[] | undefined,
  ofPreset: readonly Kind[] | undefined,
  relays: readonly RelayKind[] = ofPreset === undefined ? ['embeddings', 'rerank'] : [],
): Pick<Quirks, 'paths'> {
  const kinds = given ?? ofPreset
  if (kinds === undefined) return {}
  const usual = pathsOf(baseUrl, {})
  return { paths: Object.fromEntries([...kinds, ...relays].map((kind) => [kind, usual[kind]])) }
}

/** The kinds with a path; undefined: both. */
export function kindsOf({
  chat,
  text,
}: { readonly [kind in Kind]: string | undefined }): readonly Kind[] | undefined {
  if (chat !== undefined && text !== undefined) return undefined
  return chat === undefined ? ['text'] : ['chat']
}

/** What an upstream without such a path lacks. */
export const abilities: Readonly<Record<Kind | RelayKind, string>> = {
  chat: 'chat completions',
  text: 'text completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
}
