/** A command of the gateway: one row of the table in commands.ts, from which parsing and help are made. */
export type Command = {
  /** One word, or two: `catalog update`. */
  readonly name: string
  /** A line in the list of commands. */
  readonly does: string
  /** More, for its own help. */
  readonly about?: string
  readonly operands: readonly Operand[]
  readonly options: OptionTable
  /** Prints for people on standard output or error, and gives the exit code: 0 done, 1 failed. */
  readonly run: (invocation: Invocation<OptionTable>) => Promise<number>
}

/** What a command was called with, checked against its table. */
export type Invocation<Options extends OptionTable> = {
  readonly options: Given<Options>
  readonly operands: readonly string[]
  /** Of the gateway. */
  readonly version: string
}

/** A word after the command that is no option. */
export type Operand = {
  /** As help shows it: `FILE`. */
  readonly name: string
  readonly does: string
  readonly isOptional?: boolean
  /** All that it may be; undefined: anything. */
  readonly of?: readonly string[]
}

/** By name, without the dashes. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>

export type Option<Value> = {
  readonly does: string
  /** What follows it, as help shows it: `N`. Undefined: it takes no value. */
  readonly value?: string
  /** Gives the value, or undefined for a text that is none. Without it any text is taken that is not empty. */
  readonly read?: (text: string) => Value | undefined
  /** What `read` takes, to follow "takes" in a sentence. */
  readonly takes?: string
  /** It may be given several times. */
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

/** The command was called wrongly: its message is printed with a hint at its help, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type CommandParts<Options extends OptionTable> = Omit<Command, 'run' | 'options' | 'operands'> & {
  readonly operands?: readonly Operand[]
  readonly options: Options
  readonly run: (invocation: Invocation<Options>) => Promise<number>
}

/** A command whose `run` gets its options typed as its table has them. */
export function defineCommand<const Options extends OptionTable>(parts: CommandParts<Options>): Command {
  // The parser gives only what the table describes.
  return { operands: [], ...parts, run: parts.run as Command['run'] }
}
