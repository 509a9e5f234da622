import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { CONTEXT_HEADER, type ContextVerifier } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { json, type RouteTable } from '@opea/kernel/http';
import { hexOf, type ObjectStore, objectTooLarge } from '@opea/kernel/objects';
import type { Database } from '@opea/kernel/postgres';
import { policy } from '@opea/schema/policy';
import { artifactNotFound } from '../errors.ts';
import type { Tables } from '../tables.ts';
import { findArtifacts, recordArtifact } from './artifact-store.ts';

export interface ArtifactRouteOptions {
  readonly database: Database<Tables>;
  readonly objects: ObjectStore;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  /** The largest file taken, in bytes. */
  readonly maxBytes: number;
}

/**
 * `PUT /artifacts` takes a file as its body and answers `{digest, size}`; a `digest` header or query parameter
 * (`sha256:…`) is checked against what came. `GET /artifacts/:digest` streams a file of the caller's tenant.
 */
export function artifactRoutes(options: ArtifactRouteOptions): RouteTable {
  const { database, objects, verifier, clock, maxBytes } = options;
  const viewerOf = (request: IncomingMessage) => verifier.verify(headerOf(request, CONTEXT_HEADER));

  return {
    'PUT /artifacts': async (request, response) => {
      const viewer = await viewerOf(request);
      const { tenant } = viewer;
      policy.demand(viewer, 'artifact:upload', { tenant });
      if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw objectTooLarge({});
      const expectedDigest = expectedDigestOf(request);
      const { digest, size } = await objects.put(request, {
        maxBytes,
        ...(expectedDigest !== undefined && { expectedDigest }),
      });
      await database.transaction(
        (tx) => recordArtifact(tx, { tenant, digest, size, by: viewer.id, at: clock() }),
        { tenant },
      );
      // Always 201: whether somebody else brought the same bytes before is nobody's business.
      json(response, 201, { digest, size });
    },

    'GET /artifacts/:digest': async (request, response, { digest = '' }) => {
      const viewer = await viewerOf(request);
      const { tenant } = viewer;
      policy.demand(viewer, 'artifact:read', { tenant });
      const found = await database.transaction(
        (tx) => findArtifacts(tx, { tenant, digests: [digest] }),
        { tenant },
      );
      const artifact = found.get(digest);
      if (!artifact) throw artifactNotFound({ digest });
      const stream = request.method === 'HEAD' ? undefined : await objects.get(digest);
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': artifact.size,
        'cache-control': 'private, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        etag: `"${digest}"`,
      });
      if (stream) await pipeline(stream, response);
      else response.end();
    },
  };
}

function expectedDigestOf(request: IncomingMessage): string | undefined {
  const query = new URLSearchParams(request.url?.split('?', 2)[1] ?? '');
  const digest = headerOf(request, 'digest') ?? query.get('digest') ?? undefined;
  if (digest !== undefined) hexOf(digest);
  return digest;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
