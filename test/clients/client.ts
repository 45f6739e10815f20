import type { FeatureName } from './features.ts'

/** A client of other people's, and what is to be expected of it. */
export type Client = {
  /** As its users call it. */
  readonly name: string
  /** What it is written in, or runs in. */
  readonly runs: string
  /** How it is told where the gateway is. */
  readonly setting: string
  /** What it has no notion of. */
  readonly lacks: readonly FeatureName[]
  /** Its error classes, each with the status it tells. */
  readonly raises: Readonly<Record<'400' | '401' | '404' | '429' | '500' | '503', string>>
  /** What it raises for a stream that broke off. */
  readonly cut: string
  /** How its program is started here: it is given the gateway's address and key, and prints what it saw, line by line. */
  readonly program: () => Program | Missing
}

export type Program = {
  readonly command: string
  readonly words: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Of the client. */
  readonly version: string
}

/** What this machine lacks to run it. */
export type Missing = { readonly missing: string }
