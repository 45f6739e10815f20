import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { listenOnSocket, socketPath } from '../../src/http/unix-socket.ts'
import { startChild } from '../acceptance/child.ts'
import { removeDirectory } from '../harness/directory.ts'

const directory = mkdtempSync(join(tmpdir(), 'gateway-socket-'))
const path = join(directory, 'gateway.sock')
const open = new Set<Server>()

afterAll(() => removeDirectory(directory))

afterEach(async () => {
  for (const server of open) await new Promise((resolve) => server.close(resolve))
  open.clear()
  rmSync(path, { force: true })
})

test('a host may be the path of one', () => {
  expect(socketPath('unix:/run/gateway.sock')).toBe('/run/gateway.sock')
  expect(socketPath('127.0.0.1')).toBeUndefined()
})

test('the group may use it, others may not, and it is gone with its server', async () => {
  const server = await take()
  expect(statSync(path).mode & 0o777).toBe(0o660)
  await new Promise((resolve) => server.close(resolve))
  open.delete(server)
  expect(existsSync(path)).toBe(false)
})

test('one that a killed process left behind is replaced', async () => {
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  await startChild(process.execPath, ['-e', program], { environment: {} }).ended
  expect(existsSync(path)).toBe(true)
  await take()
})

test('one that somebody answers is not', async () => {
  await take()
  await expect(take()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(existsSync(path)).toBe(true)
})

test('neither is a file that is no socket', async () => {
  writeFileSync(path, 'a file')
  await expect(take()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(statSync(path).isFile()).toBe(true)
})

async function take(): Promise<Server> {
  const server = createServer()
  await listenOnSocket(server, path)
  open.add(server)
  return server
}
