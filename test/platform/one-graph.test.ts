import { describe } from 'vitest';
import { startTestPlatform } from '../kit/running-platform.ts';
import { onePlatform } from './one-graph.contract.ts';

describe('the platform on embedded parts', () => {
  onePlatform(() => startTestPlatform());
});
