import type { Migration } from '../migration.ts'
import { measures } from '../rollup.ts'

/** The dimensions of the first version. */
const firstDimensions = ['key', 'team', 'model', 'provider', 'deployment', 'tags']

export const sqliteMigrations: readonly Migration[] = [
  {
    name: '001 calls and rollups',
    text: `
      create table calls (
        id text not null, at integer not null, "key" text not null, team text not null, model text not null,
        status integer not null, line text not null
      ) strict;
      create unique index calls_by_id on calls (id);
      create index calls_by_at on calls (at);
      create index calls_by_key on calls ("key", at);
      create index calls_by_team on calls (team, at) where team <> '';
      create index calls_by_model on calls (model, at);
      create index calls_failed on calls (at) where status >= 400;
      ${['rollups_hour', 'rollups_day'].map((name) => rollupTable(name)).join('\n')}
      create table positions (node text primary key, segment integer not null, byte integer not null) strict;
      create table events (
        id text not null, at integer not null, type text not null, body text not null, primary key (type, id)
      ) strict;
      create index events_by_at on events (at, id);
      create table holds (id text primary key, node text not null, body text not null) strict;`,
  },
  {
    name: '002 rollups by failure',
    text: ['rollups_hour', 'rollups_day'].map(withFailures).join('\n'),
  },
  {
    name: '003 responses',
    text: `
      create table responses (
        tenant text not null, id text not null, previous text, body text not null,
        bytes integer not null, nodes integer not null, used integer not null, primary key (tenant, id)
      ) strict;
      create index responses_by_tenant on responses (tenant, used, bytes);
      create index responses_by_used on responses (used);
      create table response_items (
        tenant text not null, item text not null, response text not null, primary key (tenant, item),
        foreign key (tenant, response) references responses (tenant, id) on delete cascade
      ) strict;
      create index response_items_by_response on response_items (tenant, response);`,
  },
  {
    name: '004 summaries of rollups',
    text: `
      ${['rollups_one_hour', 'rollups_one_day'].map(byOneTable).join('\n')}
      ${['rollups_week', 'rollups_month'].map((name) => rollupTable(name, [...firstDimensions, 'failure'])).join('\n')}
      create table summary_ends (name text primary key, until integer not null) strict;`,
  },
]

/** SQLite cannot change a key in place. */
function withFailures(name: string): string {
  const kept = ['at', ...firstDimensions.map((dimension) => `"${dimension}"`), ...measures].join(', ')
  return `
    alter table ${name} rename to ${name}_before;
    ${rollupTable(name, [...firstDimensions, 'failure'])}
    insert into ${name} (${kept}, failure) select ${kept}, '' from ${name}_before;
    drop table ${name}_before;`
}

function rollupTable(name: string, dimensions: readonly string[] = firstDimensions): string {
  const names = dimensions.map((dimension) => `"${dimension}" text not null`)
  const sums = measures.map((measure) => `${measure} integer not null default 0`)
  const key = ['at', ...dimensions.map((dimension) => `"${dimension}"`)].join(', ')
  return `create table ${name} (at integer not null, ${[...names, ...sums].join(', ')}, primary key (${key})) strict, without rowid;`
}

function byOneTable(name: string): string {
  const sums = measures.map((measure) => `${measure} integer not null default 0`).join(', ')
  return `create table ${name} (dimension text not null, at integer not null, name text not null, ${sums}, primary key (dimension, at, name)) strict, without rowid;`
}
