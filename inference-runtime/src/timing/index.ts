export { machineTiming } from './timing.ts';
export type { Cancel, Timing } from './timing.ts';
