import type { Database } from '@opea/kernel/postgres';
import DataLoader from 'dataloader';
import type { Kysely } from 'kysely';
import { type ApiKeySource, findKeys, pageKeys } from './api-key/api-key-store.ts';
import {
  findPrincipalNamed,
  findPrincipals,
  type PrincipalSource,
  pagePrincipals,
} from './principal/principal-store.ts';
import type { Tables } from './tables.ts';
import { findTenant, type TenantSource } from './tenant/tenant-store.ts';

/** Reads of one operation, inside the viewer's tenant. Asking for n things costs one statement. */
export interface Reader {
  principal(id: string): Promise<PrincipalSource | undefined>;
  principalNamed(name: string): Promise<PrincipalSource | undefined>;
  principals(page: {
    readonly after: string;
    readonly limit: number;
  }): Promise<readonly PrincipalSource[]>;
  tenant(): Promise<TenantSource | undefined>;
  key(id: string): Promise<ApiKeySource | undefined>;
  keysOf(page: KeyPage): Promise<readonly ApiKeySource[]>;
}

export interface KeyPage {
  readonly principalId: string;
  readonly limit: number;
  readonly before: { readonly createdAt: Date; readonly id: string } | undefined;
}

export interface ReaderOptions {
  readonly database: Database<Tables>;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function readerOf({ database, tenant, signal }: ReaderOptions): Reader {
  const read = <T>(work: (tx: Kysely<Tables>) => Promise<T>) =>
    database.transaction(work, { tenant, signal });

  /** Nothing is cached: a mutation may come between. */
  const byId = <Row extends { readonly id: string }>(
    find: (tx: Kysely<Tables>, tenant: string, ids: readonly string[]) => Promise<readonly Row[]>,
  ) => {
    const loader = new DataLoader<string, Row | undefined>(
      async (ids) => {
        const rows = await read((tx) => find(tx, tenant, [...new Set(ids)]));
        const found = new Map(rows.map((row) => [row.id, row]));
        return ids.map((id) => found.get(id));
      },
      { cache: false, maxBatchSize: 1_000 },
    );
    return (id: string) => loader.load(id);
  };

  const keyPages = new DataLoader<KeyPage, readonly ApiKeySource[]>(
    (pages) =>
      read(async (tx) => {
        const [{ limit, before } = { limit: 0, before: undefined }] = pages;
        const together = pages.filter((page) => page.limit === limit && page.before === before);
        const principalIds = together.map(({ principalId }) => principalId);
        const rows = await pageKeys(tx, { tenant, principalIds, limit, before });
        const answers: (readonly ApiKeySource[])[] = [];
        for (const page of pages)
          answers.push(
            together.includes(page)
              ? rows.filter(({ principalId }) => principalId === page.principalId)
              : await pageKeys(tx, { tenant, ...page, principalIds: [page.principalId] }),
          );
        return answers;
      }),
    { cache: false, maxBatchSize: 100 },
  );

  return {
    principal: byId(findPrincipals),
    principalNamed: (name) => read((tx) => findPrincipalNamed(tx, tenant, name)),
    principals: (page) => read((tx) => pagePrincipals(tx, { tenant, ...page })),
    tenant: () => read((tx) => findTenant(tx, tenant)),
    key: byId(findKeys),
    keysOf: (page) => keyPages.load(page),
  };
}
