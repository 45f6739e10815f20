#!/usr/bin/env node
// What `npx pandotate-gateway` runs: Node.js, started again with the flags that must be known before V8 starts. An old
// runtime can read this file; start.js says what is missing.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const start = fileURLToPath(new URL('./start.js', import.meta.url))
const words = ['--max-semi-space-size=24'].concat(compilerFlags(), start, process.argv.slice(2))

// In place of this process where that can be: the signals and the exit code then are the gateway's own.
if (typeof process.execve === 'function' && process.platform !== 'win32') {
  process.execve(process.execPath, [process.execPath].concat(words), process.env)
}

const gateway = spawn(process.execPath, words, { stdio: 'inherit' })
/** @type {NodeJS.Signals[]} */
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
for (const signal of passedOn) process.on(signal, () => gateway.kill(signal))
gateway.on('error', (error) => {
  process.stderr.write(`The gateway cannot be started: ${error.message}\n`)
  process.exit(1)
})
gateway.on('exit', (code, signal) => {
  if (signal === null) process.exit(code === null ? 1 : code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})

/**
 * As in `npm start`, for the version of Node.js that knows them for certain: an unknown flag stops it.
 * @returns {string[]}
 */
function compilerFlags() {
  if (process.versions.node.split('.')[0] !== '24') return []
  return ['--no-maglev', '--max-inlined-bytecode-size=1000', '--max-inlined-bytecode-size-cumulative=3000']
}
