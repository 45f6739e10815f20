import { core } from 'zod'

/** A place in the configuration: keys of sections and indexes of lists, from the top. */
export type Path = readonly (string | number)[]

/** Something wrong at a place: what was found there, never a secret, and what is expected. */
export type Finding = { readonly path: Path; readonly told: string }

/** A place as it is written in a report: `models["llama-*"].deployments[0]`. */
export function placeOf(path: Path): string {
  return core.toDotPath(path)
}

/** The source of settings that are options of the command. */
export const commandLine = 'command line'

/** Something wrong, as the operator has to look for it. */
export type Problem = {
  /** The file's path as it was given, `environment`, or `command line`. */
  readonly source: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** `models["llama-*"].deployments[0]`, or the variable's name; '' for the whole source. */
  readonly place: string
  readonly told: string
}

/** Everything that is wrong with a configuration, at once. Its message is the report, and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** The report, a problem a line. */
  readonly lines: readonly string[]
  /** All that is wrong is in the options of the command. */
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

/** The file from top to bottom, then what has no line, such as the environment. */
function rank(problem: Problem): number {
  return problem.line ?? Number.MAX_SAFE_INTEGER
}

function line({ source, line: row, column, place, told }: Problem): string {
  const where = [source, row, column].filter((part) => part !== undefined).join(':')
  return [where, place, told].filter((part) => part !== '').join(': ')
}
