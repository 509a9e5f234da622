import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startTestRouter } from '../testing/test-router.ts';

describe('the explorer', () => {
  it('is a page with a strict policy, whose every file comes from this process', async () => {
    await using router = await startTestRouter({ config: { explorer: true } });
    const response = await fetch(`${router.url}/explorer`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    const page = await response.text();
    expect(page).not.toMatch(/https?:\/\//);
    const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(files.length).toBeGreaterThanOrEqual(8);
    for (const path of files) {
      const file = await fetch(`${router.url}${path}`);
      expect(`${path} ${file.status}`).toBe(`${path} 200`);
      await file.arrayBuffer();
    }
  });

  it('shows the key to a page on a loopback address, and to no other name that points here', async () => {
    const key = 'opea_demo_explorerkeyexplorerkey';
    await using router = await startTestRouter({ config: { explorer: true, explorerKey: key } });
    expect(await pageFor(router.url, 'localhost:4000')).toContain(key);
    expect(await pageFor(router.url, 'rebound.evil.example')).not.toContain(key);
  });

  it('cannot be broken out of by what it shows', async () => {
    const explorerKey = '</script><script>alert(1)</script>';
    await using router = await startTestRouter({ config: { explorer: true, explorerKey } });
    expect(await pageFor(router.url, '127.0.0.1')).not.toContain('<script>alert');
  });

  it('is not there unless it is asked for', async () => {
    await using router = await startTestRouter();
    expect((await fetch(`${router.url}/explorer`)).status).toBe(404);
  });
});

function pageFor(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(`${url}/explorer`, { headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
