/** Calls `check` until it answers true; rejects after `timeoutMs`, or when `giveUp` returns a reason. */
export async function waitUntil({ what, timeoutMs, check, giveUp }) {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    const reason = giveUp?.();
    if (reason !== undefined) throw new Error(reason);
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await pause(100);
  }
}

export function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
