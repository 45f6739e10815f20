/** A command of the gateway: one row of the table in commands.ts, for parsing and for help. */
export type Command = {
  /** One word, or two: `catalog update`. */
  readonly name: string
  /** Its line in the list of commands. */
  readonly does: string
  /** Further lines of the command's help. */
  readonly about?: string
  readonly operands: readonly Operand[]
  readonly options: OptionTable
  /** Prints to standard output or error, and returns the exit code: 0 done, 1 failed. */
  readonly run: (invocation: Invocation<OptionTable>) => Promise<number>
}

/** The arguments of a command, checked against its table. */
export type Invocation<Options extends OptionTable> = {
  readonly options: Given<Options>
  readonly operands: readonly string[]
  /** The gateway's version. */
  readonly version: string
}

/** A word after the command that is not an option. */
export type Operand = {
  /** Its name in the help: `FILE`. */
  readonly name: string
  readonly does: string
  readonly isOptional?: boolean
  /** The allowed values; undefined: any. */
  readonly of?: readonly string[]
}

/** Options by name, without the dashes. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>

export type Option<Value> = {
  readonly does: string
  /** Its value in the help: `N`. Undefined: it takes no value. */
  readonly value?: string
  /** Parses the value, or returns undefined for an invalid one. Absent: any text that is not empty is valid. */
  readonly read?: (text: string) => Value | undefined
  /** Describes valid values, after "takes" in a sentence. */
  readonly takes?: string
  /** It may be repeated. */
  readonly isRepeatable?: boolean
}

/** The options that were given, by name. */
export type Given<Options extends OptionTable> = {
  readonly [name in keyof Options]?: Options[name] extends { readonly isRepeatable: true }
    ? readonly ValueOf<Options[name]>[]
    : ValueOf<Options[name]>
}

type ValueOf<Single> = Single extends { readonly read: (text: string) => infer Value }
  ? Exclude<Value, undefined>
  : Single extends { readonly value: string }
    ? string
    : Single extends { readonly value?: undefined }
      ? true
      : unknown

/** Wrong usage. The message is printed with a reference to the command's help, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type CommandParts<Options extends OptionTable> = Omit<Command, 'run' | 'options' | 'operands'> & {
  readonly operands?: readonly Operand[]
  readonly options: Options
  readonly run: (invocation: Invocation<Options>) => Promise<number>
}

/** A command whose `run` gets its options with the types of its table. */
export function defineCommand<const Options extends OptionTable>(parts: CommandParts<Options>): Command {
  // The parser returns only what the table describes.
  return { operands: [], ...parts, run: parts.run as Command['run'] }
}
