import type { Line } from '../../src/ledger/store/batch.ts'
import { dayMs } from '../../src/ledger/store/rollup.ts'

export const days = 90
export const startMs = Date.UTC(2026, 8, 1)
export const endMs = startMs + days * dayMs

/** The key with the fewest calls: one in some hundred thousand. */
export const rarestKey = 'key_79'
export const rareKey = 'key_60'
/** The provider that answers no more than one call in a thousand. */
export const rareProvider = 'lab'

/**
 * The nth of `count` calls, evenly spread over the days: of 80 keys in 12 teams, each of which asks six of 24 models at
 * three of four providers. Three in a hundred fail or lose their caller.
 */
export function lineOf(nth: number, count: number, random: () => number): Line {
  const at = Math.floor(startMs + ((endMs - startMs) * nth) / count)
  // A few keys make most of the calls, and each asks mostly for one model.
  const key = Math.floor(80 * random() ** 3)
  const model = (key * 7 + Math.floor(6 * random() ** 2)) % 24
  const name = `vendor-${model % 5}/model-${model}`
  const provider =
    random() < 0.001 ? rareProvider : (providers[(model + Math.floor(3 * random() ** 2)) % 3] ?? '')
  const deployment = `${name}@${provider}`
  const id = idOf(at, random)
  const ended = endOf(random())
  const costNanoUsd = Math.floor(2e6 * random() ** 3)
  const [promptTokens, completionTokens] = [Math.floor(4000 * random()), Math.floor(800 * random())]
  const isAnswered = ended.outcome === 'ok'
  const firstTokenMs = rounded(80 + 1500 * random() ** 3)
  const totalMs = rounded(firstTokenMs + 30_000 * random() ** 5)
  const call = {
    ...{ type: 'call', at, requestId: id, dialect: 'chat', principal: `pgw_…${key}`, key: `key_${key}` },
    ...{ keyName: `service ${key}`, team: `team-${key % 12}`, tags: [`stage-${key % 3}`, `unit-${key % 4}`] },
    ...{
      model: name,
      kind: 'chat',
      stream: true,
      deployment,
      provider,
      ...ended,
      strategy: 'balanced',
      route: '*',
    },
    plan: [deployment, `${name}@backup`],
    expected: [{ deployment, nanoUsd: costNanoUsd }],
    attempts: [
      {
        ...{ deployment, outcome: isAnswered ? 'ok' : (ended.failure?.kind ?? 'left'), startMs: 0.4 },
        ...{ headersMs: rounded(60 + 100 * random()), firstTokenMs, totalMs, upstreamStatus: ended.status },
        ...{ upstreamRequestId: `chatcmpl-${id.slice(20)}`, delivered: isAnswered, costNanoUsd },
        used: { promptTokens, cachedTokens: 0, completionTokens },
        price: { promptNanoUsd: 200, completionNanoUsd: 600 },
      },
    ],
    ...{ parseMs: 0.11, ...(isAnswered ? { firstTokenMs } : {}), totalMs, overheadMs: 0.42, promptTokens },
    ...{ completionTokens, usageEstimated: false, costNanoUsd, costEstimated: false },
    ...{ baselineNanoUsd: 2 * costNanoUsd, savedNanoUsd: costNanoUsd, slow: false },
    ...{ requestBytes: 4100, responseBytes: 13_000 },
  }
  return { text: JSON.stringify(call), end: { segment: 1, offset: nth } }
}

/** The same numbers each time: a linear congruential generator. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const providers = ['north', 'south', 'east']

type End = { readonly status: number; readonly outcome: string; readonly failure?: { readonly kind: string } }

function endOf(drawn: number): End {
  if (drawn < 0.01) return { status: 499, outcome: 'left' }
  const [status, kind] = failures[Math.floor((drawn - 0.01) / 0.005)] ?? []
  if (status === undefined || kind === undefined) return { status: 200, outcome: 'ok' }
  return { status, outcome: 'failed', failure: { kind } }
}

/** Each of one call in two hundred. */
const failures: readonly (readonly [number, string])[] = [
  [504, 'timeout'],
  [429, 'rate_limited'],
  [502, 'invalid_response'],
  [503, 'overloaded'],
]

/** As a gateway makes them: the time, and random digits. */
function idOf(at: number, random: () => number): string {
  const digits = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return `req_${at.toString(16).padStart(12, '0')}${digits()}${digits()}0000`
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
