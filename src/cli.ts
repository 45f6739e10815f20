import { readFileSync } from 'node:fs'
import { UsageError } from './cli/command.ts'
import { commands } from './cli/commands.ts'
import { helpHint, helpText } from './cli/help.ts'
import { parseCommand } from './cli/parse-command.ts'
import { ConfigError } from './config.ts'

/** How this program is started, for help: in a clone of the repository, and as an installed package. */
const program = import.meta.url.endsWith('.ts') ? 'npm run gateway --' : 'pandotate-gateway'

/** The codes of a data directory or a database that cannot be used. */
const unopened: ReadonlySet<string> = new Set([
  'ERR_DIRECTORY_IN_USE',
  'ERR_JOURNAL_UNREADABLE',
  'ERR_KEYS_UNKNOWN',
  'ERR_STORE_UNUSABLE',
])

process.exitCode = await run(process.argv.slice(2))

/** The exit codes: 0 done, 1 failed, 2 wrong usage. */
async function run(words: readonly string[]): Promise<number> {
  const parsed = parseCommand(commands, words)
  switch (parsed.type) {
    case 'help':
      process.stdout.write(helpText(parsed.of, program))
      return 0
    case 'version':
      process.stdout.write(`${versionOf()}\n`)
      return 0
    case 'fault':
      process.stderr.write(`${parsed.fault}\n${helpHint(parsed.command, program)}\n`)
      return 2
    case 'run': {
      const { command, invocation } = parsed
      try {
        return await command.run({ ...invocation, version: versionOf() })
      } catch (thrown) {
        const failed = readable(thrown)
        if (failed === undefined) throw thrown
        process.stderr.write(`${failed.text}\n`)
        if (failed.code === 2) process.stderr.write(`${helpHint(command, program)}\n`)
        return failed.code
      }
    }
  }
}

/** Errors that a person can fix are messages; anything else is a bug, and keeps its stack. */
function readable(thrown: unknown): { readonly text: string; readonly code: 1 | 2 } | undefined {
  if (thrown instanceof UsageError) return { text: thrown.message, code: 2 }
  if (thrown instanceof ConfigError) {
    return { text: thrown.message.trimEnd(), code: thrown.isOfCommandLine ? 2 : 1 }
  }
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  if (thrown.code === 'EADDRINUSE') {
    const advice = 'Choose another port, with --port or PORT.'
    return { text: `Cannot listen: the address is in use (${thrown.message}). ${advice}`, code: 1 }
  }
  if (thrown.code === 'EACCES' || thrown.code === 'EADDRNOTAVAIL' || thrown.code === 'ENOTFOUND') {
    return { text: `Cannot listen: ${thrown.message}.`, code: 1 }
  }
  if (unopened.has(String(thrown.code))) return { text: thrown.message, code: 1 }
  return undefined
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
