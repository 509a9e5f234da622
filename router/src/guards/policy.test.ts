import { describe, expect, it } from 'vitest';
import { startTestRouter } from '../testing/test-router.ts';

const deep = { query: `{ thing ${'{ parent '.repeat(13)} { id } ${'}'.repeat(13)} }` };

describe('a guard', () => {
  it('refuses with its own code and counts', async () => {
    await using router = await startTestRouter();
    const response = await router.ask(deep);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      errors: [{ message: 'The operation is nested too deeply.', extensions: { code: 'DEPTH' } }],
    });
    expect(await router.metrics.registry.metrics()).toContain(
      'opea_router_guard_violations_total{guard="DEPTH",mode="enforce"} 1',
    );
  });

  it('that measures lets pass and counts each request, also of a known document', async () => {
    await using router = await startTestRouter({ config: { guardModes: { DEPTH: 'measure' } } });
    for (let count = 0; count < 3; count += 1) expect((await router.ask(deep)).status).toBe(200);
    expect(await router.metrics.registry.metrics()).toContain(
      'opea_router_guard_violations_total{guard="DEPTH",mode="measure"} 3',
    );
  });

  it('that is off neither refuses nor counts', async () => {
    await using router = await startTestRouter({ config: { guardModes: { DEPTH: 'off' } } });
    expect((await router.ask(deep)).status).toBe(200);
    expect(await router.metrics.registry.metrics()).not.toContain('guard="DEPTH"');
  });
});
