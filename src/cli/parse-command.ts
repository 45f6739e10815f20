import { parseArgs } from 'node:util'
import { didYouMean } from '../core/model/json/nearest.ts'
import type { Command, Invocation, Operand, Option, OptionTable } from './command.ts'

/** The result of parsing a command line. */
export type ParsedCommand =
  | {
      readonly type: 'run'
      readonly command: Command
      readonly invocation: Omit<Invocation<OptionTable>, 'version'>
    }
  /** Help for a command, for the commands that begin with a word, or for all. */
  | { readonly type: 'help'; readonly of: readonly Command[] }
  | { readonly type: 'version' }
  /** An error message, and the command whose help has details. */
  | { readonly type: 'fault'; readonly fault: string; readonly command: Command | undefined }

/** Parses a command line. Unknown options and invalid values are faults. */
export function parseCommand(commands: readonly Command[], words: readonly string[]): ParsedCommand {
  const [first] = words
  if (first === undefined || isHelp(first)) return { type: 'help', of: commands }
  if (isVersion(first)) return { type: 'version' }
  if (first === 'help') return helpOf(commands, words.slice(1))
  const command = commandOf(commands, words)
  if (command !== undefined) return parseWords(command, words.slice(command.name.split(' ').length))
  const family = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (family.length > 0 && words.some(isHelp)) return { type: 'help', of: family }
  return noCommand(commands, family, words)
}

function helpOf(commands: readonly Command[], words: readonly string[]): ParsedCommand {
  const [first] = words
  if (first === undefined) return { type: 'help', of: commands }
  const command = commandOf(commands, words)
  if (command !== undefined) return { type: 'help', of: [command] }
  const family = commands.filter(({ name }) => name.startsWith(`${first} `))
  return family.length > 0 ? { type: 'help', of: family } : noCommand(commands, family, words)
}

function commandOf(commands: readonly Command[], [first, second]: readonly string[]): Command | undefined {
  return (
    commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first)
  )
}

function noCommand(
  commands: readonly Command[],
  family: readonly Command[],
  words: readonly string[],
): ParsedCommand {
  const [first = '', second = ''] = words
  if (first.startsWith('-')) {
    return { type: 'fault', fault: `Name a command before ${first}, such as serve.`, command: undefined }
  }
  if (family.length > 0) {
    const verbs = family.map(({ name }) => name.slice(first.length + 1))
    const fault =
      second === '' || second.startsWith('-')
        ? `${first} takes ${anyOf.format(verbs)}.`
        : `There is no command ${quoted(`${first} ${second}`)}.${didYouMean(second, verbs)}`
    return { type: 'fault', fault, command: undefined }
  }
  const names = new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? name]))
  return {
    type: 'fault',
    fault: `There is no command ${quoted(first)}.${didYouMean(first, names)}`,
    command: undefined,
  }
}

function parseWords(command: Command, words: readonly string[]): ParsedCommand {
  const { tokens } = parseArgs({
    args: [...words],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, { value }]) => [
          name,
          { type: value === undefined ? 'boolean' : 'string' } as const,
        ]),
      ),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    },
  })
  const options: Record<string, unknown> = {}
  const operands: string[] = []
  let fault: string | undefined
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    if (token.name === 'help') return { type: 'help', of: [command] }
    if (token.name === 'version') return { type: 'version' }
    fault ??= takeOption(command, options, token)
  }
  fault ??= operandFault(command, operands)
  if (fault !== undefined) return { type: 'fault', fault, command }
  return { type: 'run', command, invocation: { options, operands } }
}

type OptionToken = {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

/** Adds the option's value to `options`, or returns an error message. */
function takeOption(
  command: Command,
  options: Record<string, unknown>,
  { name, rawName, value, inlineValue }: OptionToken,
): string | undefined {
  const option = Object.hasOwn(command.options, name) ? command.options[name] : undefined
  if (option === undefined) {
    const names = [...Object.keys(command.options), 'help', 'version'].map((known) => `--${known}`)
    return `${command.name} has no option ${rawName}.${didYouMean(rawName, names)}`
  }
  const read = readOption(rawName, option, inlineValue === true ? value : withoutDashes(value))
  if ('fault' in read) return read.fault
  if (option.isRepeatable === true) {
    const before = options[name]
    options[name] = [...(Array.isArray(before) ? before : []), read.value]
    return undefined
  }
  if (Object.hasOwn(options, name)) return `${rawName} is given twice.`
  options[name] = read.value
  return undefined
}

/** A following option is not the option's value. */
function withoutDashes(value: string | undefined): string | undefined {
  return value !== undefined && value.length > 1 && value.startsWith('-') ? undefined : value
}

function readOption(
  name: string,
  option: Option<unknown>,
  text: string | undefined,
): { readonly value: unknown } | { readonly fault: string } {
  if (option.value === undefined) {
    return text === undefined ? { value: true } : { fault: `${name} takes no value.` }
  }
  if (text === undefined || text === '') return { fault: `${name} takes ${option.takes ?? 'a value'}.` }
  const value = option.read === undefined ? text : option.read(text)
  return value === undefined
    ? { fault: `${name} takes ${option.takes ?? 'another value'}, not ${quoted(text)}.` }
    : { value }
}

function operandFault(
  { name, operands: expected }: Command,
  operands: readonly string[],
): string | undefined {
  const odd = operands[expected.length]
  if (odd !== undefined) {
    const takes = expected.length === 0 ? 'nothing' : expected.map((one) => one.name).join(' ')
    return `${name} takes ${takes}: ${quoted(odd)} is one word too many.`
  }
  for (const [index, operand] of expected.entries()) {
    const fault = oneFault(name, operand, operands[index])
    if (fault !== undefined) return fault
  }
  return undefined
}

function oneFault(command: string, { name, of, isOptional }: Operand, word: string | undefined) {
  const choices = of === undefined ? '' : `: ${anyOf.format(of)}`
  if (word === undefined) return isOptional === true ? undefined : `${command} takes ${name}${choices}.`
  if (of === undefined || of.includes(word)) return undefined
  return `${command} takes ${name}${choices}, not ${quoted(word)}.${didYouMean(word, of)}`
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

function isVersion(word: string): boolean {
  return word === '--version'
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })
