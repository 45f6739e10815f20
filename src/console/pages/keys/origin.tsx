import { urlOf } from '../../app/router.ts'
import type { BudgetView, Declared, DeclaredSettings } from './wire.ts'

/** Says that something is declared in the file, and leads to its line. */
export function Origin({ of }: { of: Place | undefined }) {
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

type Place = Omit<Declared, 'kind' | 'id'>

/** Where the configuration declares a budget; undefined: it was made by the API. */
export function placeOfBudget(
  budget: BudgetView,
  all: readonly BudgetView[],
  { declared, settings }: DeclaredSettings,
): Place | undefined {
  const { scope, scope_id: owner } = budget
  if (scope !== 'gateway') return declaredOf(declared, scope, owner ?? '')
  // They come in the order of the file.
  const nth = all.filter((one) => one.scope === 'gateway').indexOf(budget)
  return settings.find(({ place }) => place === `budgets.gateway[${nth}].limitUsd`)
}
