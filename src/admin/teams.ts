import * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import type { Team } from '../tenants/keys/key.ts'
import { newTeamOf, requireUnchanged, teamChangeOf } from './inputs.ts'
import type { KeysParts } from './keys.ts'
import { type AdminRoute, route } from './route.ts'
import { aborting, data, deleted, teamChange, teamChanging, teamInput, teamView } from './schemas.ts'
import { viewOfTeam } from './views.ts'

/** `/admin/api/teams`, like keys. */
export function teamRoutes({ tenants, changes, endCalls }: KeysParts): readonly AdminRoute[] {
  const { registry } = tenants
  const teamOf = (id: string | undefined): Team => {
    const team = id === undefined ? undefined : registry.team(id)
    if (team === undefined)
      throw new Failure('not_found', 'There is no such team.', { code: 'team_not_found' })
    return team
  }
  const common = { tag: 'teams', role: 'admin' } as const
  return [
    route({
      ...{ ...common, method: 'get', path: '/admin/api/teams', role: 'read', status: 200 },
      summary: 'Lists teams',
      answer: data(z.array(teamView)),
      handle: async () => ({
        data: await Promise.all(registry.teams().map((team) => viewOfTeam(team, tenants))),
      }),
    }),
    route({
      ...{ ...common, method: 'post', path: '/admin/api/teams', status: 201 },
      summary: 'Makes a team',
      body: teamInput,
      answer: data(teamView),
      handle: async ({ body, by }) => ({
        data: await viewOfTeam(changes.createTeam(by, newTeamOf(body)), tenants),
      }),
    }),
    route({
      ...{ ...common, method: 'get', path: '/admin/api/teams/{id}', role: 'read', status: 200 },
      summary: 'Shows a team',
      answer: data(teamView),
      handle: async ({ path }) => ({ data: await viewOfTeam(teamOf(path['id']), tenants) }),
    }),
    route({
      ...{ ...common, method: 'patch', path: '/admin/api/teams/{id}', status: 200 },
      summary: 'Changes the given fields of a team; null removes a limit',
      query: teamChanging,
      body: teamChange,
      answer: data(teamView),
      async handle({ path, query, body, by }) {
        const before = teamOf(path['id'])
        requireUnchanged(before, query.unchanged_since)
        const team = changes.updateTeam(by, before.id, teamChangeOf(body, before))
        return { data: await viewOfTeam(team, tenants) }
      },
    }),
    route({
      ...{ ...common, method: 'delete', path: '/admin/api/teams/{id}', status: 200 },
      summary: 'Deletes a team and revokes its keys; `abort` also ends their running calls',
      query: aborting,
      answer: deleted,
      handle({ path, query, by }) {
        const id = path['id'] ?? ''
        const keys = registry.keys().filter(({ team }) => team === id)
        changes.deleteTeam(by, id)
        if (query.abort === 'true') endCalls(keys.map((key) => key.id))
        return { deleted: true }
      },
    }),
  ]
}
