import { useAnswer } from '../../app/answer.ts'

/** Names to filter by. Calls may have others, which no longer exist. */
export type KnownNames = {
  readonly keys: readonly KnownKey[]
  /** By the name of the filter. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>
}

export type KnownKey = { readonly hash: string; readonly name: string; readonly label: string }

type Listed<Row> = { readonly data: readonly Row[] }

/** Loads the names of keys if one is selected, and all names if the form is open. */
export function useKnownNames(isOpen: boolean, isKeyChosen: boolean): KnownNames {
  const keys = useAnswer<Listed<KnownKey & { readonly team: string | null; readonly kind: string }>>(
    isOpen || isKeyChosen ? '/admin/api/keys?limit=1000' : undefined,
  )
  const deployments = useAnswer<Listed<{ readonly id: string; readonly provider: string | null }>>(
    isOpen ? '/admin/api/deployments' : undefined,
  )
  const routes = useAnswer<{ readonly models: readonly string[] }>(isOpen ? '/admin/api/routes' : undefined)
  const callers = (keys.data?.data ?? []).filter(({ kind }) => kind === 'inference')
  const places = deployments.data?.data ?? []
  return {
    keys: callers,
    suggestions: {
      model: (routes.data?.models ?? []).slice(0, 1000),
      team: distinct(callers.map(({ team }) => team)),
      deployment: distinct(places.map(({ id }) => id)),
      provider: distinct(places.map(({ provider }) => provider)),
    },
  }
}

function distinct(names: readonly (string | null)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== null))].toSorted()
}
