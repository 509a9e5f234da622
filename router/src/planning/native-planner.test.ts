import { describe } from 'vitest';

import { nativePlanner } from './native-planner.ts';
import { plannerContract } from './planner.contract.ts';

describe('the native planner', () => {
  plannerContract(nativePlanner);
});
