import { vi } from 'vitest';
import { openGround } from '../testing/test-feature.ts';
import { valuesContract } from './values.contract.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

valuesContract(openGround);
