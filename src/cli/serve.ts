import cluster from 'node:cluster'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { curlExample, type ExampleCall, exampleModel } from '../http/routes/example-call.ts'
import { runWorker } from '../main/workers/run-worker.ts'
import { startPrimary, workersIn } from '../main/workers/start-primary.ts'
import { type RunningGateway, startGateway } from '../main.ts'
import { createDirectCallLog, createLog } from '../telemetry/log.ts'
import { createOutput, type LogOutput } from '../telemetry/output.ts'
import { prettyLine } from '../telemetry/pretty.ts'
import { defineCommand } from './command.ts'
import { type ConfigOverrides, serverOptions } from './config-options.ts'
import { isExposedFile } from './exposed-file.ts'
import { watchFiles } from './file-watch.ts'
import { type ConfigReader, openConfig } from './read-config.ts'
import { reloadWhenSettled } from './settled-reload.ts'
import { exitCodeOf, onReloadSignal, type StopSignal, untilSignalled } from './signals.ts'

export const serve = defineCommand({
  name: 'serve',
  does: 'serve on http://localhost:8000 until interrupted',
  about:
    'SIGTERM or SIGINT lets the calls in flight finish; a second one ends them. SIGHUP, or a change of the file,\n' +
    'reloads the configuration without losing a call.',
  options: serverOptions,
  run: ({ options, version }) => (cluster.isWorker ? serveAsWorker() : serveUntilSignalled(options, version)),
})

/** Serves until SIGINT or SIGTERM; calls in flight then finish. SIGHUP or a changed file reloads the configuration. */
async function serveUntilSignalled(overrides: ConfigOverrides, version: string): Promise<number> {
  const reader = openConfig(overrides)
  const config = reader.read()
  await using output = createOutput(process.stdout.isTTY === true ? lineByLine : inBatches)
  const lines = isPretty(config) ? prettyOutput(output) : output
  const log = createLog(config.logLevel, lines)
  const callLog = lines === output ? createDirectCallLog(log, output) : undefined
  warnOfExposure(config, reader, log)
  const count = workersIn(config)
  const gateway =
    count === 1
      ? await startGateway(config, { log, callLog, version })
      : await startPrimary({ config, count, version, log, output: lines })
  const changed = reloadWhenSettled({
    paths: () => reader.lastTexts.keys(),
    read: reader.read,
    take: gateway.reload,
  })
  onReloadSignal(changed)
  using _watch = watchFiles({
    everyMs: lookEveryMs,
    paths: () => reader.lastTexts.keys(),
    known: (path) => reader.lastTexts.get(path),
    changed,
  })
  let second: StopSignal | undefined
  const signalled = untilSignalled((signal) => {
    second = signal
    log.warn({ signal }, 'stopping at once')
    gateway.hurry()
  })
  // Printed after signals are handled, because a script that waits for this line may send one.
  process.stderr.write(greeting(config, gateway))
  const workers = count === 1 ? {} : { workers: count }
  log.info({ url: gateway.url, version, source: config.source, demo: config.demo, ...workers }, 'serving')
  for (const warning of config.warnings ?? []) log.warn({ warning }, 'the configuration may have a mistake')
  const first = await signalled
  log.info({ signal: first }, 'stopping')
  // At a terminal there is no load balancer to wait for.
  await gateway.stop(first === 'SIGINT' ? { delayMs: 0 } : {})
  log.info('stopped')
  return second === undefined ? 0 : exitCodeOf(second)
}

/** Serves as a worker. Its log goes to the primary, which writes the lines of all workers. */
async function serveAsWorker(): Promise<number> {
  // Signals to the process group are handled by the primary.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  await using output = createOutput(inBatches)
  await runWorker(({ logLevel }) => {
    const log = createLog(logLevel, output)
    return { log, callLog: createDirectCallLog(log, output) }
  })
  return 0
}

function warnOfExposure(config: Config, { lastTexts }: ConfigReader, log: Logger): void {
  const { source: file } = config
  const text = file === undefined ? undefined : lastTexts.get(file)
  if (file === undefined || text === undefined || !isExposedFile(file, text, config)) return
  log.warn({ file }, 'this file contains keys, and every user of this machine can read it: chmod 600')
}

/** True for readable lines instead of JSON: as configured, or by default at a terminal. */
function isPretty({ logFormat }: Config): boolean {
  return logFormat === undefined ? process.stdout.isTTY === true : logFormat === 'pretty'
}

function prettyOutput(output: LogOutput): Pick<LogOutput, 'write' | 'writeBytes'> {
  const isColored = process.stdout.isTTY === true && process.stdout.hasColors()
  const write = (line: string) => output.write(prettyLine(line, isColored))
  return {
    write,
    writeBytes(lines) {
      for (const line of lines.toString().split(/(?<=\n)/)) write(line)
    },
  }
}

const lineByLine = { descriptor: 1, batchBytes: 0, waitMs: 500 } as const
const inBatches = { descriptor: 1, batchBytes: 65_536, waitMs: 250 } as const

const lookEveryMs = 1000

/** The text for a person at the terminal. The log contains the same information. */
function greeting({ demo, port, host, keys }: Config, { url, models }: RunningGateway): string {
  const shown = host === '127.0.0.1' && port !== 0 ? url.replace(host, 'localhost') : url
  const socketPath = url.startsWith('unix:') ? url.slice('unix:'.length) : undefined
  const origin = socketPath === undefined ? shown : 'http://localhost'
  const example = { origin, model: exampleModel(models()), needsKey: keys.length > 0, socketPath }
  const curl = demo ? demoExample(example) : curlExample(example)
  const notice = demo
    ? '\n*** SIMULATOR *** No upstream is configured: the built-in simulator generates the answers, and says so\n' +
      'in the header x-pandotate-provider. Set PANDOTATE_API_KEY to reach Pandotate, or send a pk_... bearer.\n'
    : ''
  return `Pandotate Gateway serves on ${shown}\n${notice}\nTry it:\n  ${curl}\n\n`
}

function demoExample({ origin, socketPath }: ExampleCall): string {
  const place = socketPath === undefined ? origin : `--unix-socket ${socketPath} ${origin}`
  return (
    `curl ${place}/inference -H 'Content-Type: application/json' \\\n` +
    `    -d '{"model":"mistral-7b","prompt":"Hello, Pandotate!","max_tokens":50}'`
  )
}
