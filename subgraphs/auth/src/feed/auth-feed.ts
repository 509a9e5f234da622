import type { FeedEvent } from '@opea/kernel/feed';
import { eventFeed } from '@opea/kernel/feed';
import { policy } from '@opea/schema/policy';
import type { Resolvers } from '../generated/resolvers.ts';
import { subjects } from './outbox.ts';

export type AuthEventSource = FeedEvent;

export const feedResolvers: Pick<Resolvers, 'Subscription'> = {
  Subscription: {
    authEvents: {
      subscribe(_root, { types, after }, { viewer, bus, logger, signal }) {
        policy.demand(viewer, 'auth-events:read', viewer);
        const { tenant } = viewer;
        return eventFeed({ bus, logger, tenant, known: subjects, types, after, signal });
      },
      resolve: (event: AuthEventSource) => event,
    },
  },
};
