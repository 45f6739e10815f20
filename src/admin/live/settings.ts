import * as z from 'zod'
import { type AdminRoute, route } from '../route.ts'
import { data } from '../schemas.ts'
import type { ConfigurationInUse, LiveParts, SettingOrigin } from './live.ts'

/** `GET /admin/api/settings`: the configuration in effect, and the problems of the last one that was refused. */
export function settingsRoute({ configuration }: Pick<LiveParts, 'configuration'>): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/settings', role: 'read', tag: 'settings', status: 200 },
    summary:
      'Shows every setting in effect and its source, secrets masked; and what is wrong with the last ' +
      'configuration that was refused',
    answer: data(
      z.object({
        loaded_at: z.iso.datetime(),
        reloads: z.object({ taken: z.int(), refused: z.int() }),
        settings: z.array(setting),
        declared: z
          .array(originView.extend({ kind: z.enum(['key', 'team']), id: z.string() }))
          .meta({ description: 'The keys and teams that are declared there, and can only be changed there' }),
        refusal: z.object({ at: z.iso.datetime(), problems: z.array(problem) }).nullable(),
      }),
    ),
    handle: () => ({ data: bodyOf(configuration()) }),
  })
}

/** The place of a setting in the configuration. */
export const originView = z.object({
  from: z.enum(['file', 'environment', 'command line', 'default']),
  file: z.string().nullable(),
  line: z.int().nullable(),
  variable: z.string().nullable(),
})

export function originOf({ from, file, line, variable }: SettingOrigin): z.output<typeof originView> {
  return { from, file: file ?? null, line: line ?? null, variable: variable ?? null }
}

const plain = z.union([z.string(), z.number(), z.boolean(), z.null()])

const setting = originView.extend({
  place: z.string(),
  value: z.union([plain, z.array(plain)]),
  secret: z.boolean(),
})

const problem = z.object({
  source: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  place: z.string(),
  message: z.string(),
})

function bodyOf({ loadedEpochMs, taken, refused, refusal, origins }: ConfigurationInUse) {
  return {
    loaded_at: new Date(loadedEpochMs).toISOString(),
    reloads: { taken, refused },
    settings: (origins?.settings ?? []).map(({ place, value, isSecret, ...origin }) => ({
      ...{ place, value, secret: isSecret },
      ...originOf(origin),
    })),
    declared: Object.entries(origins?.declared ?? {}).map(([name, origin]) => {
      const [kind = '', ...rest] = name.split(':')
      return { kind, id: rest.join(':'), ...originOf(origin) }
    }),
    refusal:
      refusal === undefined
        ? null
        : {
            at: new Date(refusal.atEpochMs).toISOString(),
            problems: refusal.problems.map(({ source, line, column, place, message }) => ({
              ...{ source, line: line ?? null, column: column ?? null, place, message },
            })),
          },
  }
}
