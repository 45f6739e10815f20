import { parseArgs } from 'node:util'
import { priceOf } from '../catalog/listed-price.ts'
import { nanoUsd, type Price } from '../core/model/price.ts'
import { type ErrorForm, errorForms } from '../simulator/runpod/errors.ts'
import { type Generation, generations } from '../simulator/runpod/work.ts'
import { type TogetherBreak, togetherBreaks } from '../simulator/together/answer.ts'
import { type TogetherLimit, togetherLimits } from '../simulator/together/error.ts'

/** A simulated upstream as the words of the command describe it. What is left out is as usual there. */
export type AskedSimulation = { readonly name: SimulatedName; readonly port: number } & SimulationSettings

export type SimulatedName = (typeof names)[number]

export type ReadSimulation =
  | { readonly type: 'simulation'; readonly asked: AskedSimulation }
  | { readonly type: 'help' }
  /** What is wrong, in a sentence. */
  | { readonly type: 'fault'; readonly fault: string }

/** Reads the words after `simulate`. */
export function readSimulation(words: readonly string[]): ReadSimulation {
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: { ...Object.fromEntries(options.map(({ name }) => [name, { type: 'string' }])), ...helpOption },
  })
  if (values['help'] === true) return { type: 'help' }
  const [given] = positionals
  const name = names.find((one) => one === given)
  if (given === undefined) return faulty(`Name what to simulate: ${anyOf.format(names)}.`)
  if (positionals.length > 1) return faulty(`Name one to simulate, not ${allOf.format(positionals)}.`)
  if (name === undefined) {
    return faulty(`There is no simulated ${JSON.stringify(given)}, only ${allOf.format(names)}.`)
  }
  const settings: { -readonly [setting in keyof AskedSimulation]: AskedSimulation[setting] } = {
    name,
    port: defaultPort,
  }
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = options.find((one) => one.name === token.name)
    if (option === undefined) return faulty(`${token.rawName} is no option here.`)
    if (option.of !== undefined && !option.of.includes(name)) {
      return faulty(`--${option.name} is for ${allOf.format(option.of)}.`)
    }
    if (token.value === undefined) return faulty(`--${option.name} takes a value.`)
    const read = option.read(token.value)
    if (read === undefined) {
      return faulty(`--${option.name} takes ${option.takes}, not ${JSON.stringify(token.value)}.`)
    }
    Object.assign(settings, read)
  }
  return { type: 'simulation', asked: settings }
}

type SimulationSettings = {
  readonly key?: string
  readonly slowMs?: number
  /** Requests in ten seconds. */
  readonly limit?: number
  /** Of the models that are not in a list. */
  readonly price?: Price
  readonly nanoUsdPerSecond?: number
  readonly coldMs?: number
  readonly generation?: Generation
  readonly errorForm?: ErrorForm
  readonly workers?: number
  readonly longestWaitMs?: number
  readonly keptMs?: number
  readonly limitType?: TogetherLimit
  readonly breaks?: TogetherBreak
}

const names = ['pandotate', 'together', 'baseten', 'runpod'] as const

const defaultPort = 9000

const helpOption = { help: { type: 'boolean', short: 'h' } } as const

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })
const allOf = new Intl.ListFormat('en-GB', { type: 'conjunction' })

type Option = {
  readonly name: string
  readonly value: string
  readonly does: string
  /** Follows `takes` in a sentence. */
  readonly takes: string
  /** Undefined: all. */
  readonly of?: readonly SimulatedName[]
  /** Undefined for what it does not take. */
  readonly read: (text: string) => Partial<AskedSimulation> | undefined
}

const longestMs = 600_000

const options: readonly Option[] = [
  {
    name: 'port',
    value: 'N',
    does: `listen on this port of 127.0.0.1 (default ${defaultPort}; 0 takes a free one)`,
    takes: 'a port, from 0 to 65535',
    read: (text) => counted(text, 0, 65_535, (port) => ({ port })),
  },
  {
    name: 'key',
    value: 'KEY',
    does: 'refuse every other bearer',
    takes: 'a key',
    read: (key) => (key === '' ? undefined : { key }),
  },
  milliseconds('slow', 'wait MS milliseconds before every answer', undefined, (slowMs) => ({ slowMs })),
  {
    name: 'limit',
    value: 'N',
    does: 'refuse more than N requests in ten seconds with 429 (at RunPod, N of each operation)',
    takes: 'a whole number from 1 on',
    read: (text) => counted(text, 1, 1_000_000, (limit) => ({ limit })),
  },
  {
    name: 'price',
    value: 'IN/OUT',
    does: 'charge so many USD per million tokens for models without a price, such as sim-*',
    takes: 'USD for input and output, such as 0.88/1.04',
    of: ['pandotate', 'together', 'baseten'],
    read: readPrice,
  },
  {
    name: 'per-second',
    value: 'USD',
    does: 'charge this for a second of work, at Baseten in a deployment',
    takes: 'USD, such as 0.00116',
    of: ['baseten', 'runpod'],
    read: (text) => readUsd(text, (nanoUsdPerSecond) => ({ nanoUsdPerSecond })),
  },
  milliseconds(
    'cold',
    'take MS milliseconds to start a deployment or a worker',
    ['baseten', 'runpod'],
    (ms) => ({
      coldMs: ms,
    }),
  ),
  oneOf('worker', 'be a vLLM worker of this generation', ['runpod'], generations, (generation) => ({
    generation,
  })),
  oneOf('errors', 'write the errors of jobs in this form', ['runpod'], errorForms, (errorForm) => ({
    errorForm,
  })),
  {
    name: 'workers',
    value: 'N',
    does: 'run N workers at most (default 3)',
    takes: 'a whole number from 1 to 1000',
    of: ['runpod'],
    read: (text) => counted(text, 1, 1000, (workers) => ({ workers })),
  },
  milliseconds('wait', 'hold a runsync for MS milliseconds at most', ['runpod'], (longestWaitMs) => ({
    longestWaitMs,
  })),
  milliseconds('kept', 'forget a job MS milliseconds after its end', ['runpod'], (keptMs) => ({ keptMs })),
  oneOf('limit-type', 'name this limit in a 429', ['together'], togetherLimits, (limitType) => ({
    limitType,
  })),
  oneOf('breaks', 'end a stream that breaks off this way', ['together'], togetherBreaks, (breaks) => ({
    breaks,
  })),
]

/** What `simulate --help` prints. */
export const simulateHelp = `npm run gateway -- simulate NAME [OPTIONS]

Serves an upstream's own wire format on this machine, for tests and demos. No model is run: what an answer is like is
spelled by the model's name, sim-echo, sim-slow-2000, sim-cut-5. GET /bill tells what it would have charged.

NAME is ${anyOf.format(names)}.

${options.map(helpLine).join('\n')}
${'  --help'.padEnd(helpWidth())}  print this
`

function helpLine({ name, value, does, of }: Option): string {
  const where = of === undefined ? '' : ` [${of.join(', ')}]`
  return `${`  --${name} ${value}`.padEnd(helpWidth())}  ${does}${where}`
}

function helpWidth(): number {
  return Math.max(...options.map(({ name, value }) => `  --${name} ${value}`.length))
}

function milliseconds(
  name: string,
  does: string,
  of: Option['of'],
  settings: (ms: number) => Partial<AskedSimulation>,
): Option {
  const read = (text: string) => counted(text, 0, longestMs, settings)
  return { name, value: 'MS', does, takes: `milliseconds, from 0 to ${longestMs}`, read, ...(of && { of }) }
}

function oneOf<Value extends string>(
  name: string,
  does: string,
  of: readonly SimulatedName[],
  values: readonly Value[],
  settings: (value: Value) => Partial<AskedSimulation>,
): Option {
  return {
    ...{ name, of, value: 'KIND', does: `${does}: ${anyOf.format(values)}`, takes: anyOf.format(values) },
    read(text) {
      const value = values.find((one) => one === text)
      return value === undefined ? undefined : settings(value)
    },
  }
}

function counted<Settings>(
  text: string,
  least: number,
  most: number,
  settings: (count: number) => Settings,
): Settings | undefined {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return count >= least && count <= most ? settings(count) : undefined
}

function readUsd<Settings>(text: string, settings: (nano: number) => Settings): Settings | undefined {
  try {
    return settings(nanoUsd(text))
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function readPrice(text: string): Partial<AskedSimulation> | undefined {
  const [input = '', output = '', ...more] = text.split('/')
  if (more.length > 0) return undefined
  const isAmount = (usd: string) => readUsd(usd, () => true) === true
  if (!isAmount(input) || !isAmount(output)) return undefined
  return { price: priceOf({ unit: 'usd_per_million_tokens', input, output }) }
}

function faulty(fault: string): ReadSimulation {
  return { type: 'fault', fault }
}
