import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { type Command, defineCommand } from '../command.ts'
import { type AdminClient, withAdmin } from './admin-client.ts'
import { abortIn, limitOptions, limitsIn, outputOptions, tableOf, takingOptions } from './tenant-options.ts'

const about = 'Uses the running gateway of this configuration, or else its data directory.'
const key = { name: 'KEY', does: 'a key’s hash, its name, or the beginning of its hash' } as const

const create = defineCommand({
  ...{ name: 'keys create', does: 'create a key; its secret is printed only once', about },
  operands: [{ name: 'NAME', does: 'its name' }],
  options: {
    ...limitOptions,
    team: { value: 'NAME', does: 'its team' },
    owner: { value: 'NAME', does: 'its owner' },
    expires: { value: 'MOMENT', does: 'when it expires, such as 2027-01-01T00:00:00Z' },
    role: { value: 'ROLE', does: 'create a management key with this role: metrics, read or admin' },
  },
  run: ({ operands: [name], options }) =>
    withAdmin(options, async (ask) => {
      const { team, owner, expires, role } = options
      const made = await ask('POST', '/admin/api/keys', {
        ...{ name, ...limitsIn(options) },
        ...(team === undefined ? {} : { team }),
        ...(owner === undefined ? {} : { owner }),
        ...(expires === undefined ? {} : { expires_at: expires }),
        ...(role === undefined ? {} : { kind: 'management', role }),
      })
      return print(options.json, made, () => `${made['key']}\n`)
    }),
})

const list = defineCommand({
  ...{ name: 'keys list', does: 'list keys and what they have spent', about },
  options: outputOptions(),
  run: ({ options }) =>
    withAdmin(options, async (ask) => {
      const data = await allKeys(ask)
      return print(options.json, { data }, () => keyTable(data))
    }),
})

const show = defineCommand({
  ...{ name: 'keys show', does: 'show a key', about, operands: [key] },
  options: outputOptions(),
  run: ({ operands: [word = ''], options }) =>
    withAdmin(options, async (ask) => {
      const data = await find(ask, word)
      return print(options.json, { data }, () => `${JSON.stringify(data, undefined, 2)}\n`)
    }),
})

const rotate = defineCommand({
  ...{ name: 'keys rotate', does: 'give a key a new secret', about, operands: [key] },
  options: {
    until: { value: 'MOMENT', does: 'until when the old secret stays valid (default: not at all)' },
    ...takingOptions(),
  },
  run: ({ operands: [word = ''], options }) =>
    withAdmin(options, async (ask) => {
      const { hash } = await find(ask, word)
      const { until } = options
      const body = until === undefined ? {} : { grace_until: until }
      const made = await ask('POST', `/admin/api/keys/${hash}/rotate${abortIn(options)}`, body)
      return print(options.json, made, () => `${made['key']}\n`)
    }),
})

const disable = switching('disable', 'disable a key', true)
const enable = switching('enable', 'enable a disabled key', false)

const remove = defineCommand({
  ...{ name: 'keys delete', does: 'delete a key', about, operands: [key] },
  options: takingOptions(),
  run: ({ operands: [word = ''], options }) =>
    withAdmin(options, async (ask) => {
      const { hash, name } = await find(ask, word)
      const answer = await ask('DELETE', `/admin/api/keys/${hash}${abortIn(options)}`)
      return print(options.json, answer, () => `Deleted ${name}.\n`)
    }),
})

/** `gateway keys …` */
export const keyCommands: readonly Command[] = [create, list, show, rotate, disable, enable, remove]

function switching(verb: string, does: string, disabled: boolean): Command {
  return defineCommand({
    ...{ name: `keys ${verb}`, does, about, operands: [key] },
    options: takingOptions(),
    run: ({ operands: [word = ''], options }) =>
      withAdmin(options, async (ask) => {
        const { hash, name } = await find(ask, word)
        const answer = await ask('PATCH', `/admin/api/keys/${hash}${abortIn(options)}`, { disabled })
        return print(options.json, answer, () => `${disabled ? 'Disabled' : 'Enabled'} ${name}.\n`)
      }),
  })
}

async function find(ask: AdminClient, word: string): Promise<JsonObject> {
  const keys = await allKeys(ask)
  const named = keys.filter(({ name }) => name === word)
  const [one, ...others] = named.length > 0 ? named : keys.filter(({ hash }) => String(hash).startsWith(word))
  if (one !== undefined && others.length === 0) return one
  const told = one === undefined ? 'There is no such key' : 'Several keys match: give the hash of one'
  throw new Failure('not_found', `${told}: ${word}.`)
}

async function allKeys(ask: AdminClient): Promise<readonly JsonObject[]> {
  const keys: JsonObject[] = []
  for (let page: readonly JsonObject[] | undefined; page === undefined || page.length === atOnce; ) {
    const { data } = await ask('GET', `/admin/api/keys?limit=${atOnce}&offset=${keys.length}`)
    page = data as readonly JsonObject[]
    keys.push(...page)
  }
  return keys
}

const atOnce = 1000

function keyTable(keys: readonly JsonObject[]): string {
  const head = ['name', 'label', 'hash', 'team', 'limit', 'reset', 'spent', 'held', 'state']
  return tableOf(
    head,
    keys.map((one) => [
      ...[one['name'], one['label'], String(one['hash']).slice(0, 12), one['team'], one['limit']],
      ...[one['limit_reset'], one['usage'], one['held'], stateOf(one)],
    ]),
  )
}

function stateOf({ disabled, expires_at: expiresAt }: JsonObject): string {
  if (disabled === true) return 'disabled'
  return typeof expiresAt === 'string' && Date.parse(expiresAt) <= Date.now() ? 'expired' : 'good'
}

/** Prints an answer for scripts or for people; returns the exit code. */
export function print(json: unknown, answer: JsonObject, text: () => string): number {
  process.stdout.write(json === true ? `${JSON.stringify(answer)}\n` : text())
  return 0
}
