import type { Migration } from '../postgres/index.ts';

/** The tables of the embedded bus, in a schema of its own. */
export const busMigrations: readonly Migration[] = [
  {
    name: 'bus-001',
    sql: `
      create table messages (
        seq bigint primary key,
        id text not null unique,
        subject text not null,
        data jsonb,
        headers jsonb not null,
        published_at text not null
      );
      create table consumers (
        durable text primary key,
        cursor bigint not null,
        attempted bigint not null default 0,
        attempts int not null default 0
      );
      create table dead_letters (
        id uuid primary key,
        durable text not null,
        seq bigint not null references messages,
        cause text not null,
        died_at text not null,
        replay boolean not null default false
      );
      create index dead_letters_of on dead_letters (durable, died_at);
    `,
  },
];
