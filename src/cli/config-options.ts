import type { Given } from './command.ts'

/** The option of all commands that read the configuration. */
export const configOptions = {
  config: { value: 'FILE', does: 'read this file (default: gateway.yaml, if it exists)' },
} as const

/** The options of a command that serves. */
export const serverOptions = {
  port: {
    value: 'N',
    does: 'listen on this port (default 8000; 0 takes a free one)',
    takes: 'a port, from 0 to 65535',
    read: readPort,
  },
  host: { value: 'HOST', does: 'listen on this address (default 127.0.0.1: this machine only)' },
  workers: {
    value: 'N',
    does: 'the number of worker processes; auto: one per CPU (default 1)',
    takes: 'a number from 1 to 256, or auto',
    read: readWorkers,
  },
  ...configOptions,
} as const

/** The options that override a setting. */
export type ConfigOverrides = Given<typeof serverOptions>

function readPort(text: string): string | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? text : undefined
}

function readWorkers(text: string): string | undefined {
  return text === 'auto' || (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 256) ? text : undefined
}
