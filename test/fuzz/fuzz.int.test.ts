import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { attack, type Door, frames, mustBeKnown, type Target } from '../../bench/fuzz/doors.ts';
import { held, leakIn } from '../../bench/fuzz/leak.ts';
import { dice } from '../../bench/fuzz/mutation.ts';
import { rawFrames } from '../../bench/fuzz/rawFrames.ts';
import { fuzz } from '../../bench/fuzz/run.ts';
import { Faults } from '../../src/http/faults.ts';
import { createProject } from '../support/project.ts';
import { startService } from '../support/service.ts';

/** `FUZZ_SEED` and `FUZZ_INPUTS` say otherwise; `npm run fuzz` is the same, longer, and looks for leaks. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 1_000);
const MANIFEST = new URL('../../schema/sdk-documents.json', import.meta.url);

describe('a service', () => {
  it('makes nothing but answers of inputs that are nearly right, whichever door they come by', async () => {
    const service = await startService({ limits: { rate: 0 } });
    try {
      const logged: string[] = [];
      const logger = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
      const project = await createProject(service);
      const { url, ownerToken: token, concord } = service;
      const target = { url, token, project, concord, faults: new Faults(logger) };
      const { doors } = await fuzz(target, MANIFEST, { inputs: INPUTS, seed: SEED });
      const found = doors.flatMap(({ door, faults }) =>
        faults.map(({ input, problem }) => `${door}, seed ${SEED}: ${JSON.stringify(input)}\n${problem}`),
      );
      const faults = service.log.filter(({ level }) => level >= 50).map((line) => JSON.stringify(line));
      expect([...found, ...logged, ...faults].join('\n'), `FUZZ_SEED=${SEED} FUZZ_INPUTS=${INPUTS}`).toBe('');
      expect(doors.map(({ inputs }) => inputs > 0)).toEqual(doors.map(() => true));
      expect(await service.query(token, '{ viewer { id } }')).toBeTruthy();
    } finally {
      await service.close();
    }
  });
});

describe('who judges it', () => {
  const INPUTS_OF_ONE_DOOR = 36_000;
  const door = (enter: Door['enter']): Door => {
    return { name: 'planted', share: 1, corpus: ['{"a": 1}'], together: 16, enter };
  };
  const had = globalThis.gc;
  beforeAll(() => {
    setFlagsFromString('--expose-gc');
    globalThis.gc = runInNewContext('gc') as typeof globalThis.gc;
  });
  afterAll(() => {
    globalThis.gc = had;
  });

  async function judged(enter: Door['enter'], inputs = INPUTS_OF_ONE_DOOR) {
    const before = held();
    await attack(door(enter), inputs, dice(1));
    return leakIn(before, held());
  }

  it('tells a KiB that is kept of each input, as objects or as bytes, and nothing when it is let go', async () => {
    const kept: unknown[] = [];
    expect(await judged(async () => void new Array(128).fill(0))).toBeNull();
    expect(await judged(async () => void kept.push(new Array(128).fill(0)))).toMatch(
      /memory grew by \d+ MiB/,
    );
    expect(await judged(async () => void kept.push(Buffer.alloc(1_024)))).toMatch(/memory grew by \d+ MiB/);
  });

  it('tells what is left open', async () => {
    const left: Server[] = [];
    const leaves = async () => {
      const server = createServer();
      left.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    };
    expect(await judged(leaves, 32)).toMatch(/more handles are open/);
    for (const server of left) server.close();
  });

  it('tells a fault, by its door and its input', async () => {
    const { faults } = await attack(
      door(async (input) => {
        if (input.includes('__proto__')) throw new Error('planted');
      }),
      2_000,
      dice(1),
    );
    expect(faults[0]).toMatchObject({
      input: expect.stringContaining('__proto__'),
      problem: expect.stringContaining('planted'),
    });
  });

  it('tells a fault that is not masked from what a client did wrong', () => {
    const of = (error: object) => () => mustBeKnown({ data: null, errors: [error] });
    expect(of({ message: 'Cannot read properties of undefined', path: ['claim'] })).toThrow('not masked');
    expect(of({ message: 'The log has it', extensions: { code: 'INTERNAL_SERVER_ERROR' } })).toThrow(
      'a fault',
    );
    expect(of({ message: 'Variable "$id" is of the wrong kind' })).not.toThrow();
    expect(of({ message: 'No', path: ['a'], extensions: { code: 'FORBIDDEN' } })).not.toThrow();
  });

  it('has every WebSocket message read: none comes before its connection is let in', async () => {
    const read: string[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket: WebSocket) => {
      let isIn = false;
      const say = (message: object) => socket.send(JSON.stringify(message));
      socket.on('message', (data) => {
        const text = String(data);
        if (text.includes('connection_init')) {
          setTimeout(() => {
            isIn = true;
            say({ type: 'connection_ack' });
          });
        } else if (!isIn) socket.close(4401);
        else if (text === '{"type":"ping"}') say({ type: 'pong' });
        else read.push(text);
        if (read.length === 20)
          say({ type: 'next', payload: { errors: [{ message: 'x is null', path: ['a'] }] } });
      });
    });
    const { port } = server.address() as AddressInfo;
    const target = { url: `http://127.0.0.1:${port}`, token: 'any' } as Target;
    const { faults } = await attack(frames(target, ['{"type":"subscribe"}']), 20, dice(1));
    server.close();
    expect(read).toHaveLength(20);
    expect(faults[0]?.problem).toContain('not masked');
  });

  it('has bytes of frames read, and tells of a connection that is closed for a fault', async () => {
    const read: string[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket: WebSocket) => {
      socket.on('error', () => undefined);
      socket.once('message', () => {
        socket.send('{"type":"connection_ack"}');
        socket.on('message', (data) => read.push(String(data)));
        socket.on('ping', () => socket.close(1011));
      });
    });
    const { port } = server.address() as AddressInfo;
    const target = { url: `http://127.0.0.1:${port}`, token: 'any' } as Target;
    const { faults } = await attack(rawFrames(target, ['{"type":"subscribe"}']), 80, dice(1));
    server.close();
    expect(read).toContain('{"type":"subscribe"}');
    expect(faults[0]?.problem).toContain('closed with 1011');
  });
});
