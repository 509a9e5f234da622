export { eventFeed, type FeedEvent, type FeedOptions } from './event-feed.ts';
