import * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import { allBudgets } from '../tenants/budgets/all-budgets.ts'
import type { Budget } from '../tenants/budgets/budget.ts'
import { holdersOf, readBudgets } from '../tenants/budgets/budget-reading.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { usdOf } from '../tenants/usd.ts'
import { nanoOf } from './inputs.ts'
import type { KeysParts } from './keys.ts'
import { type AdminRoute, route } from './route.ts'
import { budgetView, data, deleted } from './schemas.ts'
import { budgetViewOf } from './views.ts'

const holder = z.object({
  call: z.string(),
  node: z.string(),
  user: z.string().nullable().meta({ description: 'Whose budget it is, where each end user has one' }),
  held: z.number(),
  held_nano_usd: z.int(),
})

const settled = z.object({
  id: z.string(),
  settled: z.boolean(),
  pending: z.boolean().meta({
    description:
      'Its node is unreachable: that node settles it when it returns, or another one once it is gone',
  }),
  cost_usd: z.number(),
  cost_nano_usd: z.int(),
})

/** All budgets and the calls that hold money on them; calls with an uncertain cost; end users. */
export function moneyRoutes(parts: KeysParts): readonly AdminRoute[] {
  const { tenants, changes } = parts
  return [
    route({
      ...{ method: 'get', path: '/admin/api/budgets', role: 'read', tag: 'budgets', status: 200 },
      summary: 'Lists budgets with what is spent, held and uncertain in their current windows',
      answer: data(z.array(budgetView)),
      handle: async () => ({
        data: (await readBudgets(allBudgets(tenants.registry, tenants.settings), tenants.desk)).map(
          budgetViewOf,
        ),
      }),
    }),
    route({
      ...{ method: 'get', path: '/admin/api/budgets/holds', role: 'read', tag: 'budgets', status: 200 },
      summary: 'Lists the calls that hold money on a budget',
      query: z.object({ budget: z.string() }),
      answer: data(z.array(holder)),
      async handle({ query }) {
        const budget = budgetNamed(query.budget, tenants)
        const holds = await holdersOf(budget, tenants.desk)
        return {
          data: holds.map(({ id, owner, user = null, nanoUsd }) => ({
            ...{ call: id, node: owner, user, held: usdOf(nanoUsd), held_nano_usd: nanoUsd },
          })),
        }
      },
    }),
    route({
      ...{ method: 'post', path: '/admin/api/budgets/override', role: 'admin', tag: 'budgets', status: 200 },
      summary: 'Raises what a budget may spend, in its current window only',
      body: z.strictObject({ budget: z.string(), amount: z.number().min(0).max(9_000_000) }),
      answer: data(budgetView),
      async handle({ body, by }) {
        const budget = budgetNamed(body.budget, tenants)
        changes.addToBudget(by, budget, nanoOf(body.amount, 'amount'))
        const [reading] = await readBudgets([budget], tenants.desk)
        return { data: reading && budgetViewOf(reading) }
      },
    }),
    settleRoute(parts),
    route({
      ...{ method: 'delete', path: '/admin/api/users/{id}', role: 'admin', tag: 'users', status: 200 },
      summary: 'Forgets an end user, by the name under which records keep them: stored calls lose it',
      answer: deleted,
      handle({ path, by }) {
        changes.forgetUser(by, path['id'] ?? '')
        return { deleted: true }
      },
    }),
  ]
}

function settleRoute({ changes }: KeysParts): AdminRoute {
  return route({
    ...{ method: 'post', path: '/admin/api/calls/{id}/settle', role: 'admin', tag: 'calls', status: 200 },
    summary: 'Sets the whole cost of a call whose cost was uncertain',
    body: z.strictObject({
      cost_usd: z.number().min(0).max(9_000_000),
      reason: z.string().max(200).default('settled by hand'),
    }),
    answer: data(settled),
    async handle({ path, body, by }) {
      const nano = nanoOf(body.cost_usd, 'cost_usd')
      const id = path['id'] ?? ''
      const outcome = await changes.settleCall(by, id, nano, body.reason)
      const state = { settled: outcome === 'settled', pending: outcome === 'pending' }
      return { data: { id, ...state, cost_usd: usdOf(nano), cost_nano_usd: nano } }
    },
  })
}

function budgetNamed(id: string, tenants: Tenants): Budget {
  const budget = allBudgets(tenants.registry, tenants.settings).find((one) => one.id === id)
  if (budget !== undefined) return budget
  throw new Failure('not_found', 'There is no such budget.', { code: 'budget_not_found' })
}
