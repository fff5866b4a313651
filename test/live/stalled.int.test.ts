import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Frame, tailOf } from '../../src/http/frame.ts';
import { Deliveries, Outbox } from '../../src/http/outbox.ts';
import { SocketLine } from '../../src/http/socketLine.ts';
import { type Message, RawSocket } from '../http/rawSocket.ts';
import { until } from '../http/waiting.ts';
import { createProject, importSamples, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents } from '../support/streams.ts';

const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { samples } }';
/** 1 MB a push, 20 of them: what is unread soon does not fit into the system's buffers. */
const FEED =
  'subscription ($project: ID!) { prioritized(project: $project) { ... on PrioritizedSamples { samples { data } } } }';
const READERS = 1_000;
const SAMPLES = 1_000;
const CHANGES = 10;
const MEGABYTE = 1024 * 1024;

/** What lies in this process, written and not taken by the system yet, in bytes. */
function unread(): number {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  return handles.reduce<number>(
    (sum, handle) => sum + (handle instanceof Socket ? handle.writableLength : 0),
    0,
  );
}

describe('a client that has stopped reading', () => {
  let service: Service;
  let project: string;
  let parts = 1;

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service);
    const samples = Array.from({ length: SAMPLES }, (_, i) => ({ key: `${i}`, data: 'x'.repeat(20_000) }));
    await importSamples(service, project, samples);
    await openRound(service, project, { size: SAMPLES, strategy: 'random' });
  });
  afterAll(() => service.close());

  const change = () => importSamples(service, project, [{ key: `new ${parts}`, data: 1 }], { part: parts++ });
  const samplesOf = ({ payload }: Message) =>
    (payload as { data: { progress: { samples: number } } }).data.progress.samples;

  it('changes nothing for a thousand others, and holds little', { timeout: 60_000 }, async () => {
    const sockets: RawSocket[] = [];
    for (let first = 0; first < READERS; first += 100) {
      const some = Array.from({ length: 100 }, () => RawSocket.connect(service.url, service.ownerToken));
      sockets.push(...(await Promise.all(some)));
    }
    const [stalled, ...others] = sockets as [RawSocket, ...RawSocket[]];
    stalled.socket.pause();
    stalled.subscribe('feed', FEED, { project });
    for (const socket of sockets) socket.subscribe('1', PROGRESS, { project });
    for (const socket of others) await socket.hear('next');
    let most = 0;
    let samples = SAMPLES;
    for (let i = 0; i < CHANGES; i++) {
      await change();
      samples++;
      for (const socket of others) expect(samplesOf(await socket.hear('next'))).toBe(samples);
      most = Math.max(most, unread());
    }
    // One push of each of its streams on its way, and no more, of the 20 MB that are there for it.
    expect(most).toBeLessThan(2 * MEGABYTE);
    // It has missed nothing of the feed, and finds the state as it is.
    stalled.socket.resume();
    let [pushes, newest] = [0, 0];
    while (pushes < SAMPLES / 50 || newest < samples) {
      const message = await stalled.hearAny();
      if (message.id === 'feed') pushes++;
      else newest = samplesOf(message);
    }
    await Promise.all(sockets.map((socket) => socket.close()));
    await until('nobody follows anything', () => service.concord.hub.size === 0);
  });

  it('over server-sent events holds up its own stream, and no others', async () => {
    const reading = vi.spyOn(service.concord.payloads, 'json');
    const { hostname, port } = new URL(service.url);
    const stalled = connect(Number(port), hostname).pause();
    const body = JSON.stringify({ query: FEED, variables: { project } });
    stalled.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${service.ownerToken}\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until('its stream has begun', () => reading.mock.calls.length > 0);
    const reader = overEvents(service, service.ownerToken, FEED, { project });
    for (let i = 0; i < 20; i++) expect(await reader.next()).not.toBeNull();
    // 20 MB: only what the network's buffers take has been read for who does not read.
    expect(reading.mock.calls.length).toBeLessThan(1_000 + 800);
    expect(unread()).toBeLessThan(4 * MEGABYTE);
    reading.mockRestore();
    await reader.close();
    stalled.destroy();
    await until('nobody follows anything', () => service.concord.hub.size === 0);
  });

  it('is told to come back later when all of them together hold too much', async () => {
    const limit = 2 * MEGABYTE;
    const deliveries = new Deliveries(limit);
    const http = createServer();
    const server = new WebSocketServer({ noServer: true });
    const outboxes: Outbox[] = [];
    http.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (client) => {
        outboxes.push(new Outbox(new SocketLine(client, socket), deliveries));
      }),
    );
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve);
    });
    const { port } = http.address() as AddressInfo;
    const frame = new Frame({ data: { text: 'x'.repeat(MEGABYTE) } });
    const codes: number[] = [];
    const clients: WebSocket[] = [];
    for (let i = 0; i < 4; i++) {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      client.on('close', (code) => codes.push(code));
      await once(client, 'open');
      client.pause();
      clients.push(client);
      // As a group does: the next only when the one before was taken.
      const send = () => outboxes[i]?.send(recipient, frame);
      const recipient = { tail: tailOf(`${i}`), isClosed: false, sent: () => setImmediate(send) };
      send();
      await until('it is stalled, or closed', () => unread() > i * MEGABYTE || codes.length > 0);
    }
    await until('the limit is kept', () => [...server.clients].some(({ readyState }) => readyState !== 1));
    for (const client of clients) client.resume();
    await until('it is told', () => codes.includes(1013));
    // Not all of them: with the room that one has left, the others go on.
    expect(codes.length).toBeLessThan(4);
    for (const client of clients) client.terminate();
    server.close();
    http.close();
  });
});
