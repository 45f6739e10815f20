import { vi } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { parseCommand } from '../../src/cli/parse-command.ts'

/** What a command printed, on either output, and its exit code. It runs in this process. */
export async function runCommand(...words: readonly string[]) {
  let printed = ''
  const take = (text: string | Uint8Array) => {
    printed += String(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(take)
  vi.spyOn(process.stderr, 'write').mockImplementation(take)
  const parsed = parseCommand(commands, words)
  if (parsed.type !== 'run') throw new Error(JSON.stringify(parsed))
  const code = await parsed.command.run({ ...parsed.invocation, version: '0' })
  vi.restoreAllMocks()
  return { code, printed }
}
