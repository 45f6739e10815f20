import { createWindow } from '../server/window.ts'

/** The operations of an endpoint, each with its own limit. */
export const operations = ['run', 'runsync', 'status', 'stream', 'cancel', 'openai'] as const

export type Operation = (typeof operations)[number]

export type Limits = { readonly [operation in Operation]?: number }

/** Returns true for a request over its operation's limit per 10 s. */
export function createLimiter(limits: Limits, now: () => number): (operation: Operation) => boolean {
  const most = { ...defaults, ...limits }
  const windows = new Map(operations.map((operation) => [operation, createWindow(most[operation], now)]))
  return (operation) => windows.get(operation)?.() === true
}

/** RunPod's limits for few workers; they are higher with more workers. */
const defaults = { run: 1000, runsync: 2000, status: 2000, stream: 2000, cancel: 100, openai: 2000 } as const
