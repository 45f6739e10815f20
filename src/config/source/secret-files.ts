import type { Problem } from '../report/problem.ts'
import { fileVariable } from './environment.ts'
import type { Environment } from './substitution.ts'

/** The environment, and the problems so far with the files that it names. */
export type FilledEnvironment = { readonly environment: Environment; readonly problems: readonly Problem[] }

/**
 * Adds `NAME` for every `NAME_FILE` of the environment: the text of that file without its last line break, as Docker
 * and Kubernetes mount secrets. A file is read only when its `NAME` is read, because other programs have variables that
 * end in `_FILE` too.
 */
export function withSecretFiles(
  environment: Environment,
  readFile: (path: string) => string,
): FilledEnvironment {
  const problems: Problem[] = []
  const filled: Record<string, string | undefined> = { ...environment }
  for (const [variable, path] of Object.entries(environment)) {
    const name = variable.replace(/_FILE$/, '')
    // The configuration file is not a secret file.
    if (name === variable || name === '' || name === fileVariable || !path) continue
    const report = (message: string) =>
      void problems.push({ source: 'environment', place: variable, message })
    let text: string | undefined
    const get = () => {
      text ??= environment[name] ? reportBoth(name, report) : textOf(path, readFile, report)
      return text || undefined
    }
    Object.defineProperty(filled, name, { get })
  }
  return { environment: filled, problems }
}

function reportBoth(name: string, note: (message: string) => void): string {
  note(`is set together with ${name}, expected only one of them`)
  return ''
}

function textOf(path: string, readFile: (path: string) => string, note: (message: string) => void): string {
  const found = `found ${JSON.stringify(path)}, expected the path of a file`
  try {
    const text = readFile(path).replace(/\r?\n$/, '')
    if (text === '') note(`${found} that is not empty`)
    return text
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string') throw thrown
    note(`${found} that can be read (${code})`)
    return ''
  }
}
