import { commandLine, type Problem } from '../report/problem.ts'
import { fileOption, fileVariable, textVariable } from './environment.ts'
import { type ConfigFile, readConfigFile } from './file.ts'
import type { Environment } from './substitution.ts'

/** The configuration file in use. */
export type ConfigSource = ConfigFile & {
  /** Its path as configured; undefined without a file. */
  readonly path: string | undefined
}

/** The default path of the configuration file. */
export const defaultPath = 'gateway.yaml'

/** The path from --config, or else GATEWAY_CONFIG, or else gateway.yaml. The file may not exist. */
export function configPath(environment: Environment): string {
  return namedPath(environment) ?? defaultPath
}

/**
 * Reads the file of --config, or else the text of GATEWAY_YAML, or else the file of GATEWAY_CONFIG, or else
 * gateway.yaml if it exists. `readFile` throws as `node:fs` does.
 */
export function openSource(environment: Environment, readFile: (path: string) => string): ConfigSource {
  const named = namedPath(environment)
  const path = configPath(environment)
  const text = environment[textVariable]
  if (text && !environment[fileOption]) {
    const source = { ...readConfigFile(textVariable, text, environment), path: textVariable }
    return named === undefined ? source : { ...source, problems: [...source.problems, twice] }
  }
  try {
    return { ...readConfigFile(path, readFile(path), environment), path }
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string') throw thrown
    if (code === 'ENOENT' && named === undefined) return { ...nothing, path: undefined }
    return { ...nothing, path, problems: [unreadable(environment, code)] }
  }
}

const nothing: ConfigFile = { content: undefined, problems: [], findings: [], lineOf: () => undefined }

const twice: Problem = {
  source: 'environment',
  place: textVariable,
  message: `is set together with ${fileVariable}, expected only one of them`,
}

function namedPath(environment: Environment): string | undefined {
  return environment[fileOption] || environment[fileVariable] || undefined
}

function unreadable(environment: Environment, code: string): Problem {
  const named = namedPath(environment)
  if (named === undefined) return { source: defaultPath, place: '', message: `cannot be read (${code})` }
  const message = `found ${JSON.stringify(named)}, expected the path of a file that can be read (${code})`
  return environment[fileOption]
    ? { source: commandLine, place: fileOption, message }
    : { source: 'environment', place: fileVariable, message }
}
