import { measureInTurn } from './figures/turns.ts'

/**
 * What the ledger, a key, limits and budgets cost a call, beside the pass-through. `npm run bench:money -- 40`, for
 * rounds.
 */
async function main([rounds = '40']: readonly string[]): Promise<void> {
  await measureInTurn({
    rounds: Number(rounds),
    hasPassThrough: true,
    variants: [
      { name: 'no ledger', config: { ledger: { enabled: false } } },
      { name: 'ledger' },
      { name: 'ledger, durability disk', config: { ledger: { durability: 'disk' } } },
      { name: 'ledger, key', config: { auth: { keys: [key] } } },
      { name: 'ledger, key with three limits', config: { auth: { keys: [{ ...key, ...limits }] } } },
      { name: 'ledger, key, one budget', config: { auth: { keys: [{ ...key, budgets: [budget('key')] }] } } },
      { name: 'ledger, key, three budgets', config: threeBudgets },
    ],
  })
}

const key = { key: 'sk-caller-0123456789', name: 'caller', team: 'bench' }

const limits = { rpm: 1e9, tpm: 1e9, concurrency: 100_000 }

/** So large that no call meets it. */
function budget(name: string) {
  return { name, limitUsd: 1_000_000, window: 'month' }
}

const threeBudgets = {
  auth: { keys: [{ ...key, budgets: [budget('key')] }] },
  teams: { bench: { budgets: [budget('team')] } },
  budgets: { gateway: [budget('gateway')] },
}

await main(process.argv.slice(2))
