/** A command prints for people on standard output or error, and gives the process's exit code. */
export type Command = (words: readonly string[], version: string) => Promise<number>
