export { type Action, type Grant, grants } from './grants.ts';
export { type Decision, explain, type Guarded, policy } from './policy.ts';
