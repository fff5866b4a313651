import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeNeeding } from '../support/needing.ts';
import { createProject, importSamples, must, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { until } from './waiting.ts';

const SIZE = 120;
const FEED = `subscription ($project: ID!) { prioritized(project: $project) {
  ... on PrioritizedSamples { round samples { rank } } } }`;

/** A way to the service that can be cut. */
class Way {
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  private constructor(to: URL) {
    this.#server = createServer((client) => {
      const service = connect(Number(to.port), to.hostname);
      for (const socket of [client, service]) {
        this.#open.add(socket);
        socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
      }
      client.pipe(service).pipe(client);
    });
  }

  static async to(url: string): Promise<Way> {
    const way = new Way(new URL(url));
    await new Promise<void>((resolve) => {
      way.#server.listen(0, '127.0.0.1', resolve);
    });
    return way;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

describeNeeding('CONCORD_TEST_CHROMIUM', 'the service, to a browser,', (executablePath) => {
  let browser: Browser;
  let context: BrowserContext;
  let service: Service;
  let project: string;

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service);
    const samples = Array.from({ length: SIZE }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(service, project, samples);
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  it('shows GraphiQL, which runs what is typed there, and breaks no rule of its page', async () => {
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (said) => said.type() === 'error' && problems.push(said.text()));
    const query = `subscription { progress(project: "${project}") { samples } }`;
    await page.goto(`${service.url}/graphql?${new URLSearchParams({ query })}`);
    await page.getByText('Headers', { exact: true }).click();
    await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').click();
    await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${service.ownerToken}` }));
    await page.locator('.graphiql-execute-button').click();
    await page.locator('.result-window').getByText(`${SIZE}`).waitFor();
    // Before there was a token, it was told that it needs one.
    expect(problems.filter((text) => !text.includes('401'))).toEqual([]);
  });

  it('is read by its own EventSource, which goes on behind what it has when the connection breaks', async () => {
    const way = await Way.to(service.url);
    // An EventSource sends no header of its page's choosing: whoever stands before the service adds the token.
    await context.setExtraHTTPHeaders({ authorization: `Bearer ${service.ownerToken}` });
    const page = await context.newPage();
    await page.goto(`${way.url}/health`);
    const url = `/graphql?${new URLSearchParams({ query: FEED, variables: JSON.stringify({ project }) })}`;
    await page.evaluate((url) => {
      const at = globalThis as unknown as { read: string[]; events: EventSource };
      at.read = [];
      at.events = new EventSource(url);
      at.events.addEventListener('next', ({ data }) => {
        const { round, samples } = JSON.parse(data).data.prioritized;
        at.read.push(...samples.map(({ rank }: { rank: number }) => `${round}/${rank}`));
      });
    }, url);
    const read = () => page.evaluate(() => (globalThis as unknown as { read: string[] }).read);
    const { id } = await openRound(service, project, { size: SIZE, strategy: 'random' });
    await until('it has read the round', async () => (await read()).length === SIZE);
    way.cut();
    await until('it is cut off', () => service.concord.hub.size === 0);
    await until('it is back', () => service.concord.hub.size === 1);
    await must(service, service.ownerToken, 'closeRound', { round: id });
    await openRound(service, project, { size: SIZE, strategy: 'random' });
    await until('it has read the next', async () => (await read()).at(-1) === `2/${SIZE - 1}`);
    way.close();
    expect(await read()).toEqual(
      [1, 2].flatMap((round) => Array.from({ length: SIZE }, (_, rank) => `${round}/${rank}`)),
    );
  });
});
