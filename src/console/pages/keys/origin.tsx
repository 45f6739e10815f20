import { urlOf } from '../../app/router.ts'
import type { Declared } from './wire.ts'

/** Says that something is declared in the file, and leads to its line. */
export function Origin({
  of,
}: {
  of: Pick<Declared, 'kind' | 'id' | 'from' | 'file' | 'line' | 'variable'> | undefined
}) {
  if (of === undefined) return <span class="muted">the configuration</span>
  if (of.variable !== null) return <code>{of.variable}</code>
  const line = of.line === null ? '' : `:${of.line}`
  const text = `${of.file ?? 'the configuration'}${line}`
  return of.line === null ? (
    <code>{text}</code>
  ) : (
    <a href={urlOf('/console/settings', { line: String(of.line) })}>
      <code>{text}</code>
    </a>
  )
}

export function declaredOf(
  declared: readonly Declared[] | undefined,
  kind: Declared['kind'],
  id: string,
): Declared | undefined {
  return declared?.find((one) => one.kind === kind && one.id === id && one.from !== 'default')
}
