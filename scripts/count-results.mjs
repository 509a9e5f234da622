/**
 * Counts a report of vitest's JSON reporter. A file that could not be loaded, and a run that ended badly
 * without a failed test (an unhandled error, a crash), each count as one failure.
 */
export function countResults(report, exitCode) {
  const unloadable = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const failed = report.numFailedTests + unloadable;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
