import type { Kind } from '../../core/model/terms.ts'

/** The destination of a request: Model APIs, or a deployment. */
export type BasetenRoute = {
  /** The deployment's name on the bill. Undefined: Model APIs. */
  readonly deployment: string | undefined
  readonly task: Kind | 'predict' | 'models' | 'wake' | 'health'
}

/** Parses a method and path; undefined for an unknown one. */
export function basetenRoute(method: string, path: string): BasetenRoute | undefined {
  const { pathname } = new URL(path, 'http://simulated')
  const shared = sharedTasks.get(`${method} ${pathname}`)
  if (shared !== undefined) return { deployment: undefined, task: shared }
  const [, target = '', rest = ''] = targetPattern.exec(pathname) ?? []
  const task = tasks.get(`${method} ${rest}`)
  return task && { deployment: `deployment:${target === '' ? 'regional' : target.slice(1)}`, task }
}

/** A regional host has no target in its paths. */
const targetPattern = /^(\/production|\/development|\/environments\/[\w-]+|\/deployment\/\w+|)(\/.*)$/

/** Model APIs have no text completions. */
const sharedTasks: ReadonlyMap<string, BasetenRoute['task']> = new Map([
  ['POST /v1/chat/completions', 'chat'],
  ['GET /v1/models', 'models'],
])

const tasks: ReadonlyMap<string, BasetenRoute['task']> = new Map([
  ['POST /sync/v1/chat/completions', 'chat'],
  ['POST /sync/v1/completions', 'text'],
  ['GET /sync/v1/models', 'models'],
  ['GET /sync/health', 'health'],
  ['POST /predict', 'predict'],
  ['POST /run_remote', 'predict'],
  ['POST /wake', 'wake'],
])
