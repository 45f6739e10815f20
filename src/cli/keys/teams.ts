import type { JsonObject } from '../../core/model/json/json.ts'
import { type Command, defineCommand } from '../command.ts'
import { withAdmin } from './admin-client.ts'
import { print } from './keys.ts'
import { abortIn, limitOptions, limitsIn, outputOptions, tableOf, takingOptions } from './tenant-options.ts'

const about = 'Uses the running gateway of this configuration, or else its data directory.'
const team = { name: 'NAME', does: 'the name of a team' } as const

const create = defineCommand({
  ...{ name: 'teams create', does: 'create a team', about, operands: [team], options: limitOptions },
  run: ({ operands: [name], options }) =>
    withAdmin(options, async (ask) => {
      const made = await ask('POST', '/admin/api/teams', { name, ...limitsIn(options) })
      return print(options.json, made, () => `Created ${name}.\n`)
    }),
})

const list = defineCommand({
  ...{ name: 'teams list', does: 'list teams and what they have spent', about },
  options: outputOptions(),
  run: ({ options }) =>
    withAdmin(options, async (ask) => {
      const answer = await ask('GET', '/admin/api/teams')
      const teams = answer['data'] as readonly JsonObject[]
      const rows = teams.map((one) =>
        ['name', 'keys', 'limit', 'limit_reset', 'usage', 'held'].map((at) => one[at]),
      )
      return print(options.json, answer, () =>
        tableOf(['name', 'keys', 'limit', 'reset', 'spent', 'held'], rows),
      )
    }),
})

const show = defineCommand({
  ...{ name: 'teams show', does: 'show a team', about, operands: [team] },
  options: outputOptions(),
  run: ({ operands: [name = ''], options }) =>
    withAdmin(options, async (ask) => {
      const answer = await ask('GET', `/admin/api/teams/${encodeURIComponent(name)}`)
      return print(options.json, answer, () => `${JSON.stringify(answer['data'], undefined, 2)}\n`)
    }),
})

const remove = defineCommand({
  ...{ name: 'teams delete', does: 'delete a team and revoke its keys', about, operands: [team] },
  options: takingOptions(),
  run: ({ operands: [name = ''], options }) =>
    withAdmin(options, async (ask) => {
      const answer = await ask('DELETE', `/admin/api/teams/${encodeURIComponent(name)}${abortIn(options)}`)
      return print(options.json, answer, () => `Deleted ${name}.\n`)
    }),
})

/** `gateway teams …` */
export const teamCommands: readonly Command[] = [create, list, show, remove]
