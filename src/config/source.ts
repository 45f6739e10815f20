import { fileVariable } from './environment.ts'
import { type ConfigFile, readConfigFile } from './file.ts'
import type { Problem } from './problem.ts'
import type { Environment } from './substitution.ts'

/** The configuration file that is in use. */
export type ConfigSource = ConfigFile & {
  /** Its path as it was given; undefined when there is none. */
  readonly path: string | undefined
}

/** The file where settings are looked for, and blamed, when no other is named. */
export const defaultPath = 'gateway.yaml'

/** The file that GATEWAY_CONFIG names, otherwise gateway.yaml, be it there or not. */
export function configPath(environment: Environment): string {
  return environment[fileVariable] || defaultPath
}

/**
 * Reads the file that GATEWAY_CONFIG names, otherwise gateway.yaml where there is one. `readFile` throws as
 * `node:fs` does.
 */
export function openSource(environment: Environment, readFile: (path: string) => string): ConfigSource {
  const named = environment[fileVariable] || undefined
  const path = configPath(environment)
  try {
    return { ...readConfigFile(path, readFile(path), environment), path }
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string') throw thrown
    if (code === 'ENOENT' && named === undefined) return { ...nothing, path: undefined }
    return { ...nothing, path, problems: [unreadable(named, code)] }
  }
}

const nothing: ConfigFile = { content: undefined, problems: [], findings: [], lineOf: () => undefined }

function unreadable(named: string | undefined, code: string): Problem {
  if (named === undefined) return { source: defaultPath, place: '', told: `cannot be read (${code})` }
  const told = `found ${JSON.stringify(named)}, expected the path of a file that can be read (${code})`
  return { source: 'environment', place: fileVariable, told }
}
