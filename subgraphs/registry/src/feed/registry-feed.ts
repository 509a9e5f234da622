import { eventFeed, type FeedEvent, type FeedOptions } from '@opea/kernel/feed';
import { subjects } from '../model/model-events.ts';

/** One event of the registry as the bus carries it. */
export interface RegistryEventSource extends FeedEvent {
  readonly modelId: string;
  readonly versionId: string | undefined;
}

/** The tenant's registry events; see `eventFeed` for order, cursors and errors. */
export function registryFeed(
  options: Omit<FeedOptions, 'known'>,
): AsyncIterable<RegistryEventSource> {
  return withIds(eventFeed({ ...options, known: Object.values(subjects) }));
}

async function* withIds(events: AsyncIterable<FeedEvent>): AsyncIterable<RegistryEventSource> {
  for await (const event of events) {
    const { modelId, versionId } = event.data;
    yield {
      ...event,
      modelId: typeof modelId === 'string' ? modelId : '',
      versionId: typeof versionId === 'string' ? versionId : undefined,
    };
  }
}
