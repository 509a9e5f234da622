import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { GraphRequest } from '@opea/kernel/subgraph';
import { useServer } from 'graphql-ws/use/ws';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';

import { type ProductsGraph, productsGraph } from '../testing/products-graph.ts';
import { remoteSource } from './remote-source.ts';
import { type OpenedSource, sourceContract } from './source.contract.ts';

describe('a source in this process', () => {
  sourceContract(async (world) => ({
    source: world.sources.products,
    async [Symbol.asyncDispose]() {},
  }));
});

describe('a source behind HTTP and WebSocket', () => {
  sourceContract(openRemote);

  it('refuses an answer that is too large', async () => {
    await using opened = await openRemote(productsGraph(), 40);
    const call = { headers: {}, signal: new AbortController().signal };
    await expect(
      opened.source.execute({ query: '{ topProducts { upc name price } }' }, call),
    ).rejects.toMatchObject({ kind: { code: 'INTERNAL_ERROR' } });
  });
});

async function openRemote(world: ProductsGraph, maxAnswerBytes?: number): Promise<OpenedSource> {
  const { products } = world.sources;
  const signal = new AbortController().signal;
  const server = createServer((request, response) => {
    void (async () => {
      const asked = (await json(request)) as GraphRequest;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(await products.execute(asked, { headers: {}, signal })));
    })();
  });
  const sockets = new WebSocketServer({ server });
  const stopped = useServer({ schema: world.schemas.products }, sockets);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const source = remoteSource({ url: `http://127.0.0.1:${port}/graphql`, maxAnswerBytes });
  return {
    source,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await stopped.dispose();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
