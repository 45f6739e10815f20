import { priceOf } from '../../catalog/listed-price.ts'
import { nanoUsd, type Price } from '../../core/model/price.ts'
import { type ErrorForm, errorForms } from '../../simulator/runpod/errors.ts'
import { type Generation, generations } from '../../simulator/runpod/work.ts'
import { type TogetherInterruption, togetherInterruptions } from '../../simulator/together/answer.ts'
import { type TogetherLimit, togetherLimits } from '../../simulator/together/error.ts'
import { type Given, type Option, UsageError } from '../command.ts'

/** The settings of a simulated upstream. Absent ones have its defaults. */
export type AskedSimulation = { readonly name: SimulatedName; readonly port: number } & SimulationSettings

export type SimulatedName = (typeof simulatedNames)[number]

/** The simulation for a command line. Throws UsageError for an option of another upstream. */
export function askedSimulation(
  name: SimulatedName,
  options: Given<typeof simulationOptions>,
): AskedSimulation {
  const settings: { name: SimulatedName; port: number } = { name, port: defaultPort }
  for (const [option, read] of Object.entries(options)) {
    const of = simulationOptions[option]?.of
    if (of !== undefined && !of.includes(name))
      throw new UsageError(`--${option} is for ${allOf.format(of)}.`)
    Object.assign(settings, read)
  }
  return settings
}

type SimulationSettings = {
  readonly key?: string
  readonly slowMs?: number
  /** The maximum number of requests per 10 s. */
  readonly limit?: number
  /** The price of models that are not listed. */
  readonly price?: Price
  readonly nanoUsdPerSecond?: number
  readonly coldMs?: number
  readonly generation?: Generation
  readonly errorForm?: ErrorForm
  readonly workers?: number
  readonly longestWaitMs?: number
  readonly keptMs?: number
  readonly limitType?: TogetherLimit
  readonly breaks?: TogetherInterruption
}

export const simulatedNames = ['pandotate', 'together', 'baseten', 'runpod'] as const

const defaultPort = 9000

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })
const allOf = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** An option that sets a part of the simulation. */
type SimulationOption = Option<Partial<AskedSimulation>> & {
  /** The upstreams that have it; undefined: all. */
  readonly of?: readonly SimulatedName[]
}

const longestMs = 600_000

export const simulationOptions: Readonly<Record<string, SimulationOption>> = {
  port: {
    value: 'N',
    does: `listen on this port of 127.0.0.1 (default ${defaultPort}; 0 takes a free one)`,
    takes: 'a port, from 0 to 65535',
    read: (text) => counted(text, 0, 65_535, (port) => ({ port })),
  },
  key: { value: 'KEY', does: 'require this key', takes: 'a key', read: (key) => ({ key }) },
  slow: milliseconds('wait MS milliseconds before every answer', undefined, (slowMs) => ({ slowMs })),
  limit: {
    value: 'N',
    does: 'refuse more than N requests in ten seconds with 429 (at RunPod, N of each operation)',
    takes: 'a whole number of at least 1',
    read: (text) => counted(text, 1, 1_000_000, (limit) => ({ limit })),
  },
  price: {
    value: 'IN/OUT',
    does: 'charge this many USD per million tokens for models without a price, such as sim-* [pandotate, together, baseten]',
    takes: 'USD for input and output, such as 0.88/1.04',
    of: ['pandotate', 'together', 'baseten'],
    read: readPrice,
  },
  'per-second': {
    value: 'USD',
    does: 'charge this per second of work, at Baseten in a deployment [baseten, runpod]',
    takes: 'USD, such as 0.00116',
    of: ['baseten', 'runpod'],
    read: (text) => readUsd(text, (nanoUsdPerSecond) => ({ nanoUsdPerSecond })),
  },
  cold: milliseconds(
    'take MS milliseconds to start a deployment or a worker',
    ['baseten', 'runpod'],
    (coldMs) => ({ coldMs }),
  ),
  worker: oneOf('be a vLLM worker of this generation', ['runpod'], generations, (generation) => ({
    generation,
  })),
  errors: oneOf('write the errors of jobs in this form', ['runpod'], errorForms, (errorForm) => ({
    errorForm,
  })),
  workers: {
    value: 'N',
    does: 'run N workers at most (default 3) [runpod]',
    takes: 'a whole number from 1 to 1000',
    of: ['runpod'],
    read: (text) => counted(text, 1, 1000, (workers) => ({ workers })),
  },
  wait: milliseconds('hold a runsync for MS milliseconds at most', ['runpod'], (longestWaitMs) => ({
    longestWaitMs,
  })),
  kept: milliseconds('forget a job MS milliseconds after its end', ['runpod'], (keptMs) => ({ keptMs })),
  'limit-type': oneOf('name this limit in a 429', ['together'], togetherLimits, (limitType) => ({
    limitType,
  })),
  breaks: oneOf('end an interrupted stream in this way', ['together'], togetherInterruptions, (breaks) => ({
    breaks,
  })),
}

function milliseconds(
  does: string,
  of: SimulationOption['of'],
  settings: (ms: number) => Partial<AskedSimulation>,
): SimulationOption {
  const read = (text: string) => counted(text, 0, longestMs, settings)
  const takes = `milliseconds, from 0 to ${longestMs}`
  return { value: 'MS', does: `${does}${only(of)}`, takes, read, ...(of && { of }) }
}

function oneOf<Value extends string>(
  does: string,
  of: readonly SimulatedName[],
  values: readonly Value[],
  settings: (value: Value) => Partial<AskedSimulation>,
): SimulationOption {
  return {
    value: 'KIND',
    does: `${does}: ${anyOf.format(values)}${only(of)}`,
    takes: anyOf.format(values),
    of,
    read(text) {
      const value = values.find((one) => one === text)
      return value === undefined ? undefined : settings(value)
    },
  }
}

function only(of: SimulationOption['of']): string {
  return of === undefined ? '' : ` [${of.join(', ')}]`
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
