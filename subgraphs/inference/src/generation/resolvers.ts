import { mapped } from '@opea/kernel/iteration';
import { policy } from '@opea/schema/policy';
import type { Context } from '../context.ts';
import { invalidCursor } from '../errors.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import type { FollowedToken } from './follow.ts';
import type { GenerateRequest, GenerationSource } from './generations.ts';
import type { TokenUsage } from './live-generation.ts';

export const generationResolvers: Pick<
  Resolvers,
  'Query' | 'Mutation' | 'Subscription' | 'Generation' | 'TokenChunk'
> = {
  Query: {
    async generation(_root, { id }, { viewer, generations }) {
      policy.demand(viewer, 'inference:read', viewer);
      return (await generations.find(viewer.tenant, id)) ?? null;
    },
  },
  Mutation: {
    async generate(_root, { input }, context) {
      const source = await begin(input, context);
      const giveUp = () => source.live.cancel();
      context.signal.addEventListener('abort', giveUp, { once: true });
      await source.live.ended().finally(() => context.signal.removeEventListener('abort', giveUp));
      return source;
    },
    startGeneration: (_root, { input }, context) => begin(input, context),
    async cancelGeneration(_root, { id }, { viewer, generations }) {
      policy.demand(viewer, 'inference:generate', viewer);
      const source = await generations.get(viewer.tenant, id);
      source.live.cancel();
      return source;
    },
  },
  Subscription: {
    generate: {
      async subscribe(_root, { input }, context) {
        const source = await begin(input, context);
        const { signal, generations } = context;
        const tokens = generations.follow({ source, from: 0, signal, cancelOnLeave: true });
        return mapped(tokens, (token) => ({ generate: token }));
      },
    },
    tokens: {
      async subscribe(_root, { generation, after }, { viewer, generations, signal }) {
        policy.demand(viewer, 'inference:read', viewer);
        const source = await generations.get(viewer.tenant, generation);
        const from = indexAfter(after);
        const tokens = generations.follow({ source, from, signal, cancelOnLeave: false });
        return mapped(tokens, (token) => ({ tokens: token }));
      },
    },
  },
  Generation: {
    async __resolveReference({ id }, { viewer, generations }) {
      policy.demand(viewer, 'inference:read', viewer);
      return (await generations.find(viewer.tenant, id)) ?? null;
    },
    modelVersion: ({ live }) => ({ id: live.version.versionId }),
    state: ({ live }) => live.state,
    text: ({ live }) => live.text,
    usage: ({ live }) => withTotal(live.usage),
    finishReason: ({ live }) => live.end?.reason ?? (live.failure === undefined ? null : 'ERROR'),
    timing: ({ live }) => live.end?.timing ?? null,
    requestedBy: ({ principalId: id }) => ({ id }),
  },
  TokenChunk: {
    text: ({ piece }) => piece?.text ?? '',
    logprob: ({ piece }) => piece?.logprob ?? null,
    generation: ({ source }) => source,
    modelVersion: ({ source }) => ({ id: source.live.version.versionId }),
    finishReason: ({ piece, source }) => (piece ? null : (source.live.end?.reason ?? 'ERROR')),
    usage: ({ piece, source }) => (piece ? null : withTotal(source.live.usage)),
    cursor: ({ index }) => String(index),
  },
};

/** A token on its way to a subscriber. */
export type TokenChunkSource = FollowedToken<GenerationSource>;

function begin(input: GenerateRequest, context: Context): Promise<GenerationSource> {
  policy.demand(context.viewer, 'inference:generate', context.viewer);
  return context.generations.start(input, context);
}

function indexAfter(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  if (!/^\d{1,9}$/.test(cursor)) throw invalidCursor({});
  return Number(cursor) + 1;
}

const withTotal = (usage: TokenUsage) => ({
  ...usage,
  totalTokens: usage.promptTokens + usage.completionTokens,
});
