import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveBabbler } from '../kit/models.ts';
import { type RunningPlatform, startTestPlatform } from '../kit/running-platform.ts';

/** Screenshots for somebody to look at. */
const shots = process.env['OPEA_TEST_SCREENSHOTS'] ?? join(tmpdir(), 'opea-explorer');

describe('the explorer in a browser', () => {
  let platform: RunningPlatform;
  let browser: Browser;
  let page: Page;
  /** What went wrong in the page, and every address outside the platform that it asked for. */
  const complaints: string[] = [];

  beforeAll(async () => {
    const executablePath = process.env['OPEA_TEST_CHROMIUM'];
    if (executablePath === undefined) throw new Error('OPEA_TEST_CHROMIUM is missing');
    await mkdir(shots, { recursive: true });
    platform = await startTestPlatform();
    await serveBabbler(platform.client, 'storyteller');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('response', (response) => {
      if (response.status() >= 400)
        void response.text().then((body) => complaints.push(`${response.url()} ${body}`));
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(platform.url) && !url.startsWith('data:')) complaints.push(url);
    });
    await page.goto(`${platform.url}/explorer`);
    await page.waitForSelector('.graphiql-execute-button');
  });
  afterAll(async () => {
    await browser.close();
    await platform[Symbol.asyncDispose]();
  });

  it('runs a query with the key that is filled in', async () => {
    await openTab(page, 'WhoAmI');
    await page.click('.graphiql-execute-button');
    await page.locator('.result-window', { hasText: '"name": "you"' }).waitFor();
    await page.screenshot({ path: join(shots, 'query.png') });
    expect(complaints).toEqual([]);
  });

  it.each(['ws', 'sse'])('shows a stream as it comes over %s', async (transport) => {
    await openTab(page, 'Tale');
    await page.selectOption('#transport', transport);
    await page.click('.graphiql-execute-button');
    await page.locator('#text', { hasText: /\S/ }).waitFor();
    await page.locator('#state', { hasText: /^Complete: \d+ events/ }).waitFor();
    await page.screenshot({ path: join(shots, `stream-${transport}.png`) });
    expect(await page.textContent('#state')).toMatch(/^Complete: \d{2,} events/);
    expect(complaints).toEqual([]);
  });

  it('stops a stream that waits for events', async () => {
    await openTab(page, 'Registry');
    await page.selectOption('#transport', 'ws');
    await page.click('.graphiql-execute-button');
    await page.locator('#state', { hasText: /^Streaming/ }).waitFor();
    await page.click('.graphiql-execute-button');
    await page.locator('#state', { hasText: /^Stopped/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('documents the schema', async () => {
    await page.locator('button[aria-label*="Documentation"]').click();
    await page.locator('.graphiql-doc-explorer', { hasText: 'Root Types' }).waitFor();
    await page.screenshot({ path: join(shots, 'documentation.png') });
    expect(await page.textContent('.graphiql-doc-explorer')).toContain('Query');
    expect(complaints).toEqual([]);
  });

  it('shows what people wrote as text, never as markup', async () => {
    await platform.client.ask(
      'mutation($input: RegisterModelInput!) { registerModel(input: $input) { position } }',
      { input: { name: 'markup', description: '<img src=x onerror="document.title=\'owned\'">' } },
    );
    await openTab(page, 'Models');
    await page.click('.graphiql-execute-button');
    await page.locator('.result-window', { hasText: 'onerror' }).waitFor();
    expect(await page.locator('.result-window img').count()).toBe(0);
    expect(await page.title()).toBe('opea-graph explorer');
  });
});

async function openTab(page: Page, name: string): Promise<void> {
  await page.locator('[role=tab]', { hasText: name }).first().click();
}
