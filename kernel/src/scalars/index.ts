export { BigIntScalar } from './big-int.ts';
export { DateTimeScalar } from './date-time.ts';
export { JsonScalar } from './json.ts';
export { scalarResolvers, scalarSdl } from './sdl.ts';
