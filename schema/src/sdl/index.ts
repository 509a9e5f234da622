export { subgraphSdl, supergraphSdl } from './generated/sdl.ts';
