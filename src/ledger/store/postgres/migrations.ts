import type { Migration } from '../migration.ts'
import { measures } from '../rollup.ts'

/** Of the first version. */
const dimensions = ['key', 'team', 'model', 'provider', 'deployment', 'tags']

export const postgresMigrations: readonly Migration[] = [
  {
    name: '001 calls and rollups',
    text: `
      create table calls (
        id text not null, at bigint not null, "key" text not null, team text not null, model text not null,
        status integer not null, line text not null, primary key (id, at)
      ) partition by range (at);
      create index calls_by_at on calls (at, id);
      create index calls_by_key on calls ("key", at, id);
      create index calls_by_team on calls (team, at, id) where team <> '';
      create index calls_by_model on calls (model, at, id);
      create index calls_failed on calls (at, id) where status >= 400;
      ${['rollups_hour', 'rollups_day'].map(rollupTable).join('\n')}
      create table positions (node text primary key, segment bigint not null, byte bigint not null);
      create table events (
        id text not null, at bigint not null, type text not null, body text not null, primary key (type, id)
      );
      create index events_by_at on events (at, id);
      create table holds (id text primary key, node text not null, body text not null);`,
  },
  {
    name: '002 rollups by failure',
    text: ['rollups_hour', 'rollups_day'].map(withFailures).join('\n'),
  },
]

function withFailures(name: string): string {
  const key = ['at', ...dimensions.map((dimension) => `"${dimension}"`), 'failure'].join(', ')
  return `
    alter table ${name} add column failure text not null default '';
    alter table ${name} drop constraint ${name}_pkey;
    alter table ${name} add primary key (${key});`
}

function rollupTable(name: string): string {
  const names = dimensions.map((dimension) => `"${dimension}" text not null`)
  const sums = measures.map((measure) => `${measure} bigint not null default 0`)
  const key = ['at', ...dimensions.map((dimension) => `"${dimension}"`)].join(', ')
  return `create table ${name} (at bigint not null, ${[...names, ...sums].join(', ')}, primary key (${key}));`
}
