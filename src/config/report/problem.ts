import { core } from 'zod'

/** The path of a setting: keys of sections and indexes of lists, from the top. */
export type Path = readonly (string | number)[]

/** A problem at a path: the found value (never a secret) and the expected one. */
export type Finding = { readonly path: Path; readonly message: string }

/** A path as text in a report: `models["llama-*"].deployments[0]`. */
export function placeOf(path: Path): string {
  return core.toDotPath(path)
}

/** The source of settings that are options of the command. */
export const commandLine = 'command line'

/** A problem with its place, for the operator. */
export type Problem = {
  /** The path of the file as configured, `environment`, or `command line`. */
  readonly source: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** `models["llama-*"].deployments[0]`, or the variable's name; '' for the whole source. */
  readonly place: string
  readonly message: string
}

/** All problems of a configuration. The message is the report, and contains no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** The report, one line per problem. */
  readonly lines: readonly string[]
  /** True if all problems are in the options of the command. */
  readonly isOfCommandLine: boolean

  constructor(problems: readonly Problem[]) {
    const ordered = problems.toSorted((one, other) => rank(one) - rank(other))
    const count = ordered.length === 1 ? 'a problem' : `${ordered.length} problems`
    const lines = ordered.map(line)
    super(`The configuration has ${count}.\n\n${lines.map((text) => `  ${text}\n`).join('')}`)
    this.problems = ordered
    this.lines = lines
    this.isOfCommandLine = problems.every(({ source }) => source === commandLine)
  }
}

/** Orders problems of the file by line, followed by those without a line, such as the environment's. */
function rank(problem: Problem): number {
  return problem.line ?? Number.MAX_SAFE_INTEGER
}

function line({ source, line: row, column, place, message }: Problem): string {
  const where = [source, row, column].filter((part) => part !== undefined).join(':')
  return [where, place, message].filter((part) => part !== '').join(': ')
}
