import type { Migration } from '../migration.ts'
import { measures } from '../rollup.ts'

/** The dimensions of the first version. */
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
      ${['rollups_hour', 'rollups_day'].map((name) => rollupTable(name)).join('\n')}
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
  {
    name: '003 changes that all nodes take',
    text: `
      create sequence shared_versions;
      create table shared_changes (
        kind text not null, id text not null, at bigint not null, event text not null, version bigint not null,
        body text not null, primary key (kind, id)
      );
      create index shared_changes_by_version on shared_changes (version);
      insert into shared_changes (kind, id, at, event, version, body)
        select kind, id, at, event, nextval('shared_versions'), body from (
          select distinct on (kind, subject) kind, subject, at, id, body from (
            select body::json->'subject'->>'kind' as kind, body::json->'subject'->>'id' as subject, at, id, body
            from events where type = 'admin'
            union all select 'override', id, at, id, body from events where type = 'override'
          ) as changes where kind in ('key', 'team', 'file_key', 'override')
          order by kind, subject, at desc, id desc
        ) as latest (kind, id, at, event, body);
      create table nodes (node text primary key, seen timestamptz not null default now());`,
  },
  {
    name: '004 responses',
    text: `
      create table responses (
        tenant text not null, id text not null, previous text, body text not null,
        bytes bigint not null, nodes bigint not null, used bigint not null, primary key (tenant, id)
      );
      create index responses_by_tenant on responses (tenant, used, bytes);
      create index responses_by_used on responses (used);
      create table response_items (
        tenant text not null, item text not null, response text not null, primary key (tenant, item),
        foreign key (tenant, response) references responses (tenant, id) on delete cascade
      );
      create index response_items_by_response on response_items (tenant, response);`,
  },
  {
    name: '005 summaries of rollups',
    text: `
      ${['rollups_one_hour', 'rollups_one_day'].map(byOneTable).join('\n')}
      ${['rollups_week', 'rollups_month'].map((name) => rollupTable(name, [...dimensions, 'failure'])).join('\n')}
      create table summary_ends (name text primary key, until bigint not null);`,
  },
  {
    name: '006 settlements for other nodes',
    text: `
      create table settlements_due (id text primary key, at bigint not null, body text not null, settled_by text);`,
  },
  {
    name: '007 columns for searches',
    text: 'alter table calls add column cost bigint, add column total_ms double precision;',
  },
  {
    // With the columns that calls are searched by, so that a search reads the index alone. While they are made, calls
    // can be read; the old ones are dropped at the end.
    name: '008 indexes for searches',
    text: `
      create index calls_of_key on calls ("key", at, id) include (team, model, status);
      create index calls_of_model on calls (model, at, id) include ("key", team, status);
      create index calls_that_failed on calls (at, id) include ("key", team, model, status) where status >= 400;
      create index rollups_day_by_key on rollups_day ("key", at);
      create index rollups_day_by_model on rollups_day (model, at);
      drop index calls_by_key, calls_by_model, calls_failed;`,
  },
  {
    name: '009 uncertain calls of nodes that are gone',
    text: `
      create table uncertain_calls (id text primary key, node text not null, at bigint not null, body text not null);
      create index uncertain_calls_by_at on uncertain_calls (at);
      alter table settlements_due add column taken_by text;`,
  },
]

function withFailures(name: string): string {
  const key = ['at', ...dimensions.map((dimension) => `"${dimension}"`), 'failure'].join(', ')
  return `
    alter table ${name} add column failure text not null default '';
    alter table ${name} drop constraint ${name}_pkey;
    alter table ${name} add primary key (${key});`
}

function rollupTable(name: string, of: readonly string[] = dimensions): string {
  const names = of.map((dimension) => `"${dimension}" text not null`)
  const sums = measures.map((measure) => `${measure} bigint not null default 0`)
  const key = ['at', ...of.map((dimension) => `"${dimension}"`)].join(', ')
  return `create table ${name} (at bigint not null, ${[...names, ...sums].join(', ')}, primary key (${key}));`
}

function byOneTable(name: string): string {
  const sums = measures.map((measure) => `${measure} bigint not null default 0`).join(', ')
  return `create table ${name} (dimension text not null, at bigint not null, name text not null, ${sums}, primary key (dimension, at, name));`
}
