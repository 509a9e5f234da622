import type { Migration } from '../postgres/index.ts';

/** The tables of the event store, its outbox and its projections. Each service that uses them lists these first. */
export const eventStoreMigrations: readonly Migration[] = [
  {
    name: 'kernel-001-events',
    sql: `
      create table events (
        position bigint generated always as identity primary key,
        id uuid not null unique,
        tenant text not null,
        stream_type text not null,
        stream_id text not null,
        version int not null check (version > 0),
        type text not null,
        schema_version int not null default 1,
        data jsonb not null,
        actor text not null,
        correlation_id text not null,
        causation_id text not null,
        occurred_at timestamptz not null,
        hash text not null,
        constraint events_stream_version unique (tenant, stream_type, stream_id, version)
      );
      create table outbox (
        position bigint generated always as identity primary key,
        id text not null unique,
        subject text not null,
        envelope jsonb not null,
        published_at timestamptz
      );
      create index outbox_waiting on outbox (position) where published_at is null;
      create table outbox_lease (
        only_one boolean primary key default true check (only_one),
        owner text not null,
        until timestamptz not null
      );
      create table projections (name text primary key, position bigint not null);
      create table projection_failures (
        projection text not null,
        position bigint not null,
        cause text not null,
        failed_at timestamptz not null default now(),
        primary key (projection, position)
      );
      create table inbox (
        consumer text not null,
        message_id text not null,
        handled_at timestamptz not null default now(),
        primary key (consumer, message_id)
      );
    `,
  },
];
