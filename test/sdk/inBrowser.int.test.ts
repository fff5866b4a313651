import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../http/waiting.ts';
import { describeNeeding } from '../support/needing.ts';
import { addMember, createProject, importSamples, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

/** What the page under test has. */
const PAGE = `
import { connectAnnotator } from './annotator/index.ts';
globalThis.begin = async (options) => {
  globalThis.annotator = await connectAnnotator({ ...options, hold: 3, retry: { maxDelayMs: 100 } });
  globalThis.queue = annotator.assignments();
};
globalThis.next = async () => (await queue.next()).value;
`;

/** The same, as seen from here. */
declare const begin: (options: object) => Promise<void>;
declare const next: () => Promise<{ readonly id: string; readonly data: number }>;
declare const annotator: import('@concord/sdk/annotator').Annotator;

const SAMPLES = 6;

describeNeeding('CONCORD_TEST_CHROMIUM', 'an annotator in a browser', (executablePath) => {
  let browser: Browser;
  let context: BrowserContext;
  let pages: Server;
  let service: Service;
  let origin: string;
  let given: { readonly url: string; readonly token: string; readonly project: string };

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: fileURLToPath(new URL('../../sdk/src', import.meta.url)) },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const script = outputFiles[0]?.text ?? '';
    pages = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => {
      pages.listen(0, '127.0.0.1', resolve);
    });
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    service = await startService({ allowedOrigins: [origin] });
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    pages?.close();
  });

  beforeEach(async () => {
    const project = await createProject(service, { policy: { overlapShare: 0 } });
    const samples = Array.from({ length: SAMPLES }, (_, n) => ({ key: `${n}`, data: n }));
    await importSamples(service, project, samples);
    await openRound(service, project, { size: SAMPLES, strategy: 'random' });
    const { token } = await addMember(service, project, 'ANNOTATOR');
    given = { url: `${service.url}/graphql`, token, project };
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  async function opened(): Promise<Page> {
    const page = await context.newPage();
    await page.goto(origin);
    await page.waitForFunction('globalThis.begin !== undefined');
    await page.evaluate((options) => begin(options), given);
    return page;
  }
  /** Answers the next; it is not waited for. */
  const answers = (page: Page) =>
    page.evaluate(async () => {
      const assignment = await next();
      void annotator.submit(assignment, 'spam');
      return assignment.id;
    });
  const waiting = (page: Page) =>
    page.evaluate(() => annotator.outbox.waiting.map(({ assignment }) => assignment));
  async function recorded(): Promise<number> {
    const { project } = await service.query<{ project: { progress: { answers: number } } }>(
      service.ownerToken,
      'query ($id: ID!) { project(id: $id) { progress { answers } } }',
      { id: given.project },
    );
    return project.progress.answers;
  }

  it('labels a round', async () => {
    const page = await opened();
    const ids = new Set<string>();
    for (let i = 0; i < SAMPLES; i++) ids.add(await answers(page));
    await page.evaluate(() => annotator.allRecorded());
    expect([ids.size, await recorded()]).toEqual([SAMPLES, SAMPLES]);
    expect(await page.evaluate(() => annotator.connection)).toBe('OPEN');
  });

  it('goes on while it is offline, and sends its answers when it is there again', async () => {
    const page = await opened();
    await answers(page);
    await page.evaluate(() => annotator.allRecorded());
    await page.waitForFunction('annotator.queue.assignments.length === 3');
    await context.setOffline(true);
    const offline = [await answers(page), await answers(page)];
    expect(await waiting(page)).toEqual(offline);
    expect(await recorded()).toBe(1);
    await context.setOffline(false);
    await until('the answers are recorded', async () => (await recorded()) === 3);
    await page.evaluate(() => annotator.allRecorded());
    expect(await waiting(page)).toEqual([]);
  });

  it('loses nothing when its page is closed while it is offline: the next page sends it', async () => {
    const page = await opened();
    await answers(page);
    await page.evaluate(() => annotator.allRecorded());
    await page.waitForFunction('annotator.queue.assignments.length === 3');
    await context.setOffline(true);
    const offline = [await answers(page), await answers(page)];
    await page.close();
    expect(await recorded()).toBe(1);
    await context.setOffline(false);
    const again = await opened();
    // What was answered is not given out again.
    expect(offline).not.toContain(await answers(again));
    await again.evaluate(() => annotator.allRecorded());
    expect(await recorded()).toBe(4);
    expect(await again.evaluate(() => localStorage.length)).toBe(0);
  });
});
