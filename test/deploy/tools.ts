import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Exit, shellEnvironment, startChild } from '../acceptance/child.ts'
import { repository } from '../acceptance/gateway-process.ts'

/** Where prepare.sh puts the tools that this machine's packages do not have. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pandotate-gateway/deploy')

/** Whether a tool is neither among the prepared ones nor on the path: its tests are skipped then, and say so. */
export function missingTool(name: string): boolean {
  return pathOf(name) === undefined
}

/** Where it is. */
export function toolPath(name: string): string {
  return pathOf(name) ?? name
}

/** Runs one to its end, in the repository. */
export function runTool(name: string, words: readonly string[], input = ''): Promise<Exit> {
  const environment = { ...shellEnvironment(), PYTHONDONTWRITEBYTECODE: '1' }
  return startChild(pathOf(name) ?? name, words, { cwd: repository, environment, input }).ended
}

/** Python with the libraries that know charts, manifests and task definitions; undefined where it is not prepared. */
export const python = existsSync(join(cache, 'python/installed.txt'))
  ? join(cache, 'python/bin/python')
  : undefined

/** Runs a program in Python, and reads what it prints as JSON. */
export async function askPython(program: string, input: unknown): Promise<unknown> {
  const environment = { ...shellEnvironment(), PYTHONDONTWRITEBYTECODE: '1' }
  const options = { cwd: repository, environment, input: JSON.stringify(input) }
  const { code, stdout, stderr } = await startChild(python ?? 'python3', ['-c', program], options).ended
  if (code !== 0) throw new Error(`Python ended with ${code}:\n${stderr}`)
  return JSON.parse(stdout)
}

function pathOf(name: string): string | undefined {
  const prepared = [join(cache, 'python/bin', name), join(cache, 'bin', name)].find((path) =>
    existsSync(path),
  )
  if (prepared !== undefined) return prepared
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0 ? name : undefined
}
