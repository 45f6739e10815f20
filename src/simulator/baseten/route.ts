import type { Kind } from '../../core/model/terms.ts'

/** Where a request goes: to Model APIs, or to a deployment, each of which has a name for its bill. */
export type BasetenRoute = {
  /** Undefined: Model APIs. */
  readonly deployment: string | undefined
  readonly task: Kind | 'predict' | 'models' | 'wake' | 'health'
}

/** Reads a method and path; undefined where there is nothing. */
export function basetenRoute(method: string, path: string): BasetenRoute | undefined {
  const { pathname } = new URL(path, 'http://simulated')
  const shared = sharedTasks.get(`${method} ${pathname}`)
  if (shared !== undefined) return { deployment: undefined, task: shared }
  const [, target = '', rest = ''] = targetPattern.exec(pathname) ?? []
  const task = tasks.get(`${method} ${rest}`)
  return task && { deployment: `deployment:${target === '' ? 'regional' : target.slice(1)}`, task }
}

/** A region's host has no target in its paths. */
const targetPattern = /^(\/production|\/development|\/environments\/[\w-]+|\/deployment\/\w+|)(\/.*)$/

/** Text completions are not among them. */
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
