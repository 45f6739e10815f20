import * as z from 'zod'
import { defaultBreaker } from '../../core/health/breaker.ts'

const mebibyte = 1024 * 1024

const dayMs = 86_400_000

/** `limits` of gateway.yaml: limits of one call, and of all calls together. */
export const limitsSetting = z
  .strictObject({
    bodyBytes: z
      .int()
      .min(1)
      .max(256 * mebibyte)
      .default(25 * mebibyte),
    jsonDepth: z.int().min(1).max(1000).default(64),
    jsonNodes: z.int().min(1).max(10_000_000).default(100_000),
    deadlineMs: z.int().min(1).max(dayMs).default(600_000),
    attempts: z.int().min(1).max(20).exactOptional(),
    fanOut: z.int().min(1).max(256).default(8),
    choices: z.int().min(1).max(4096).default(256),
    continueStreams: z.boolean().default(true),
    retryShare: z.number().min(0).max(1).default(0.2),
    inFlight: z.int().min(1).max(1_000_000).default(2048),
    inFlightBytes: z
      .int()
      .min(1)
      .max(65_536 * mebibyte)
      .default(512 * mebibyte),
    connections: z.int().min(1).max(1_000_000).default(16_384),
    connectionsPerAddress: z.int().min(1).max(1_000_000).default(4096),
    loopDelayMs: z.int().min(1).max(dayMs).default(200),
    heapShare: z.number().min(0.01).max(1).default(0.9),
    writeStallMs: z.int().min(1).max(dayMs).default(30_000),
    keepaliveMs: z.int().min(0).max(dayMs).default(10_000),
    heartbeatMs: z.int().min(0).max(dayMs).default(90_000),
  })
  .prefault({})

/** `hedging` of gateway.yaml: a second attempt beside a slow first one. */
export const hedgingSetting = z
  .strictObject({ enabled: z.boolean().default(false), share: z.number().min(0).max(1).default(0.05) })
  .prefault({})

/** `breaker` of gateway.yaml: when a failing deployment gets no calls, and when it is tried again. */
export const breakerSetting = z
  .strictObject({
    failures: z.int().min(1).max(1000).default(defaultBreaker.failures),
    failureRate: z.number().min(0.01).max(1).default(defaultBreaker.failureRate),
    minimumCalls: z.int().min(1).max(100_000).default(defaultBreaker.minimumCalls),
    windowMs: z.int().min(100).max(dayMs).default(defaultBreaker.windowMs),
    openMs: z.int().min(1).max(dayMs).default(defaultBreaker.openMs),
    longestOpenMs: z.int().min(1).max(dayMs).default(defaultBreaker.longestOpenMs),
    trialMs: z.int().min(1).max(dayMs).default(defaultBreaker.trialMs),
  })
  .prefault({})
