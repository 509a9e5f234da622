import { describe, expect, test } from 'vitest';
import { countResults } from './count-results.mjs';

const report = (overrides) => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [],
  ...overrides,
});

describe('the counts of a suite', () => {
  test('are those of the report when all went well', () => {
    expect(countResults(report(), 0)).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });

  test('hold a file that could not be loaded as one failure', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(countResults(report({ testResults }), 1).failed).toBe(1);
  });

  test('do not hold a failed test twice', () => {
    const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }] }];
    expect(countResults(report({ numFailedTests: 1, testResults }), 1).failed).toBe(1);
  });

  test('hold a run that ended badly without a failed test as one failure', () => {
    expect(countResults(report(), 1).failed).toBe(1);
  });
});
