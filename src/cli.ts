import { readFileSync } from 'node:fs'
import { check } from './cli/check.ts'
import type { Command } from './cli/command.ts'
import { helpText } from './cli/help.ts'
import { savings } from './cli/savings.ts'
import { serve } from './cli/serve.ts'
import { simulate } from './cli/simulate.ts'
import { ConfigError } from './config.ts'

/** The commands of `npm run gateway --`, each with the words that follow it. */
const commands: Readonly<Record<string, Command>> = { serve, check, simulate, savings, help }

process.exitCode = await run(process.argv.slice(2))

async function run([name = 'help', ...words]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    process.stderr.write(`There is no command ${JSON.stringify(name)}.\n\n${helpText}`)
    return 2
  }
  try {
    return await command(words, versionOf())
  } catch (thrown) {
    const told = toldToPeople(thrown)
    if (told === undefined) throw thrown
    process.stderr.write(`${told}\n`)
    return 1
  }
}

/** What a person can mend is said in words; anything else is a bug, and keeps its stack. */
function toldToPeople(thrown: unknown): string | undefined {
  if (thrown instanceof ConfigError) return thrown.message
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  if (thrown.code === 'EADDRINUSE') {
    return `Cannot listen: the address is in use (${thrown.message}). Set PORT to another port.`
  }
  if (thrown.code === 'EACCES' || thrown.code === 'EADDRNOTAVAIL' || thrown.code === 'ENOTFOUND') {
    return `Cannot listen: ${thrown.message}.`
  }
  if (thrown.code === 'ERR_DIRECTORY_IN_USE') return thrown.message
  if (String(thrown.code).startsWith('ERR_PARSE_ARGS')) return `${thrown.message}\n\n${helpText}`
  return undefined
}

async function help(): Promise<number> {
  process.stdout.write(helpText)
  return 0
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
