import { type Config, ConfigError } from '../config.ts'
import { isObject } from '../core/model/json/json.ts'
import { defineCommand } from './command.ts'
import { type ConfigOverrides, serverOptions } from './config-options.ts'
import { bad, type Diagnosis, good } from './doctor/diagnosis.ts'
import { diagnoseAddress, diagnoseData, diagnoseNode, diagnoseSecrets } from './doctor/machine.ts'
import { diagnoseClock, diagnosePostgres } from './doctor/network.ts'
import { diagnoseProviders } from './doctor/providers.ts'
import { openConfig } from './read-config.ts'

export const doctor = defineCommand({
  name: 'doctor',
  does: 'check everything that the gateway needs, and say how to fix what is wrong',
  about:
    'Checks Node.js, the configuration, the address, files with secrets, the data directory, each provider and\n' +
    'its key, the clock and the database. Runs no model. Exits with 1 if something prevents serving.',
  options: serverOptions,
  run: ({ options, version }) => diagnose(options, version),
})

async function diagnose(overrides: ConfigOverrides, version: string): Promise<number> {
  const diagnoses = await lookAtAll(overrides, version)
  for (const { of, state, found, advice } of diagnoses) {
    process.stdout.write(`${marks[state]} ${of}: ${found}\n`)
    if (advice !== undefined) process.stdout.write(`       ${advice}\n`)
  }
  const count = (state: Diagnosis['state']) => diagnoses.filter((one) => one.state === state).length
  process.stdout.write(`\n${count('good')} good, ${count('odd')} to look at, ${count('bad')} bad.\n`)
  return count('bad') === 0 ? 0 : 1
}

const marks = { good: 'ok    ', odd: 'look  ', bad: 'BAD   ' } as const

async function lookAtAll(overrides: ConfigOverrides, version: string): Promise<readonly Diagnosis[]> {
  const node = diagnoseNode(process)
  const reader = openConfig(overrides)
  let config: Config
  try {
    config = reader.read()
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return [node, ...thrown.lines.map((line) => bad('configuration', line, '`check` prints all of it.'))]
  }
  const source = config.source ?? 'the environment'
  const [address, providers, clock, store] = await Promise.all([
    diagnoseAddress(config),
    diagnoseProviders(config, version),
    config.demo
      ? good('clock', 'not compared: nothing is configured')
      : diagnoseClock(addressesOf(config), Date.now),
    diagnosePostgres(config.ledger.databaseUrl),
  ])
  return [
    node,
    good('configuration', config.demo ? 'nothing is configured: the simulator answers' : `from ${source}`),
    address,
    ...diagnoseSecrets([...new Set(['.env', ...reader.lastTexts.keys()])]),
    ...(config.ledger.enabled ? [diagnoseData(config.dataDirectory)] : []),
    ...providers,
    clock,
    ...store,
  ]
}

/** The providers' addresses. */
function addressesOf({ providers }: Config): readonly string[] {
  return providers.flatMap(({ settings }) => {
    if (!isObject(settings)) return []
    return [settings['baseUrl'], settings['url']].filter(
      (url) => typeof url === 'string' && URL.canParse(url),
    ) as string[]
  })
}
