/** The address of Model APIs. */
export const modelApisUrl = 'https://inference.baseten.co/v1'

/** A deployment of a model or a chain: by environment (`production` by default) or by its own id. */
export type DeploymentName = {
  readonly model?: string | undefined
  readonly chain?: string | undefined
  readonly environment?: string | undefined
  readonly deployment?: string | undefined
  /** The environment is part of the host's name, not of the path. */
  readonly regional: boolean
}

/** The addresses of a deployment. Paths start at the root of the host. */
export type DeploymentAddress = {
  readonly origin: string
  /** The server's own `/v1`; a chain has none. */
  readonly server: string | undefined
  /** The model's own input: `/predict`, of a chain `/run_remote`. */
  readonly predictPath: string
  /** Chains have none. */
  readonly wakePath: string | undefined
}

/** `baseUrl` replaces Baseten's host; its path is kept. */
export function deploymentAddress(name: DeploymentName, baseUrl: string | undefined): DeploymentAddress {
  const base = baseUrl ?? `https://${hostOf(name)}`
  const target = targetOf(name)
  const isModel = name.chain === undefined
  const { origin } = new URL(base)
  return {
    origin,
    server: isModel ? origin + pathBelow(base, `${target}/sync/v1`) : undefined,
    predictPath: pathBelow(base, `${target}/${isModel ? 'predict' : 'run_remote'}`),
    wakePath: isModel ? pathBelow(base, `${target}/wake`) : undefined,
  }
}

/** Joins two paths; the query stays at the end. */
export function pathBelow(url: string, path: string): string {
  const { pathname, search } = new URL(url)
  return pathname.replace(/\/+$/, '') + path + search
}

function hostOf({ model, chain, environment, regional }: DeploymentName): string {
  const entity = chain === undefined ? `model-${model}` : `chain-${chain}`
  return `${entity}${regional ? `-${environment}` : ''}.api.baseten.co`
}

function targetOf({ environment = 'production', deployment, regional }: DeploymentName): string {
  if (regional) return ''
  if (deployment !== undefined) return `/deployment/${deployment}`
  return pathEnvironments.has(environment) ? `/${environment}` : `/environments/${environment}`
}

/** These two have paths of their own. */
const pathEnvironments: ReadonlySet<string> = new Set(['production', 'development'])
