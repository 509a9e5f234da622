export { type GraphClient, graphClient, type Variables } from './graph-client.ts';
export { filesOf, type PushedVersion, pushVersion } from './push-version.ts';
