import type { Command, Operand, Option } from './command.ts'

/** The output of `help` and `--help`: all details of one command, or one line for each of several. */
export function helpText(commands: readonly Command[], program: string): string {
  const [only, ...others] = commands
  return only !== undefined && others.length === 0 ? ofOne(only, program) : ofSeveral(commands, program)
}

/** The command line that shows the help of one command, or of all. */
export function helpHint(command: Command | undefined, program: string): string {
  return `See ${[program, command?.name, '--help'].filter((word) => word !== undefined).join(' ')}`
}

function ofSeveral(commands: readonly Command[], program: string): string {
  const rows = commands.map((command) => [usageOf(command), command.does] as const)
  return `Pandotate Gateway: one OpenAI-compatible URL in front of every open-weight model you run.

Usage: ${program} COMMAND [OPTIONS]

${columns(rows)}

${program} COMMAND --help shows a command's options; --version prints the version.
npm start runs serve: npm start -- --port 9000.

A setting comes from the command line, else from the environment, else from .env, else from gateway.yaml:
see .env.example and gateway.example.yaml.
Exit codes: 0 done; 1 it failed; 2 wrong usage.
`
}

function ofOne(command: Command, program: string): string {
  const options = [
    ...Object.entries(command.options).map(([name, option]) => optionRow(name, option)),
    ['--help, -h', 'print this help'] as const,
    ['--version', 'print the version'] as const,
  ]
  const operands = command.operands.map(operandRow)
  return [
    `Usage: ${program} ${usageOf(command)} [OPTIONS]`,
    `${command.does[0]?.toUpperCase() ?? ''}${command.does.slice(1)}.`,
    ...(command.about === undefined ? [] : [command.about]),
    ...(operands.length === 0 ? [] : [columns(operands)]),
    `${columns(options)}\n`,
  ].join('\n\n')
}

function usageOf({ name, operands }: Command): string {
  return [name, ...operands.map((one) => (one.isOptional === true ? `[${one.name}]` : one.name))].join(' ')
}

function operandRow({ name, does, of }: Operand): readonly [string, string] {
  return [name, of === undefined ? does : `${does}: ${anyOf.format(of)}`]
}

function optionRow(name: string, { value, does }: Option<unknown>): readonly [string, string] {
  return [value === undefined ? `--${name}` : `--${name} ${value}`, does]
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })
