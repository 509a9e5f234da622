import { describe } from 'vitest';

import { apolloPlanner } from './apollo-planner.ts';
import { plannerContract } from './planner.contract.ts';

describe('the apollo planner', () => {
  plannerContract(apolloPlanner);
});
