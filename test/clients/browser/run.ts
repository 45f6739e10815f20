import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPageServer } from './page-server.ts'

// Opens the page in a headless browser, as one of an origin that is not the gateway's, and prints what it tells.

const [, , browser = '', origin = '', gateway = '', key = ''] = process.argv
const directory = await mkdtemp(join(tmpdir(), 'browser-'))
{
  await using server = await startPageServer(console.log)
  const { host } = new URL(origin)
  const words = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    `--user-data-dir=${directory}`,
    // Without --remote-debugging-port the headless shell would leave once the page has loaded.
    '--remote-debugging-port=0',
    `--host-resolver-rules=MAP ${host}:80 127.0.0.1:${server.port}`,
    `${origin}/?${new URLSearchParams({ gateway, key })}`,
  ]
  // The leader of a group: it starts processes of its own.
  const child = spawn(browser, words, { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  const ended = once(child, 'exit')
  process.once('SIGTERM', () => endGroup(child))
  const isOver = await Promise.race([server.over.then(() => true), ended.then(() => false)])
  if (isOver) endGroup(child)
  await ended
  if (!isOver) process.exitCode = 1
}
await rm(directory, { recursive: true, force: true, maxRetries: 5 })

function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL')
}
