export type { Cancel, Timing } from './timing.ts';
export { machineTiming } from './timing.ts';
