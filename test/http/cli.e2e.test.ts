import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawSocket } from './rawSocket.ts';
import { ServiceProcess, type StartOptions } from './serviceProcess.ts';
import { until } from './waiting.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');

describe('the concord command', () => {
  let folder: string;
  const started: ServiceProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-cli-'));
  });
  afterEach(async () => {
    for (const service of started.splice(0)) await service.kill();
    await rm(folder, { recursive: true });
  });

  function begin({ args = ['--store', join(folder, 'store')], env, ...options }: StartOptions = {}) {
    const service = new ServiceProcess({ args, env: { CONCORD_PORT: '0', ...env }, ...options });
    started.push(service);
    return service;
  }

  async function start({ args = ['--store', join(folder, 'store')], env, ...options }: StartOptions = {}) {
    const service = await ServiceProcess.ready({ args, env: { CONCORD_PORT: '0', ...env }, ...options });
    started.push(service);
    return service;
  }

  async function viewer(service: ServiceProcess, token: string): Promise<unknown> {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: '{"query":"{ viewer { id } }"}',
    });
    const { data } = (await response.json()) as { data?: { viewer: { id: string } } };
    return data?.viewer.id;
  }

  /** How it ends that cannot start, with what it says; it says so without a stack. */
  async function failure(options: StartOptions) {
    const service = begin(options);
    const { code } = await service.exited;
    expect(service.errors).toMatch(/^concord: /m);
    expect(service.errors).not.toContain('    at ');
    return { code, message: service.errors };
  }

  describe('explains itself', () => {
    it('by --help', async () => {
      const help = begin({ args: ['--help'] });
      expect(await help.exited).toEqual({ code: 0, signal: null });
      expect(help.log).toContain('--store');
      expect(help.errors).toBe('');
    });

    it('by --version', async () => {
      const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
      const shown = begin({ args: ['--version'] });
      expect(await shown.exited).toEqual({ code: 0, signal: null });
      expect(shown.log).toBe(`${version}\n`);
    });
  });

  describe('does not start', () => {
    it.each([
      [['--port', 'http'], {}, '--port'],
      [['--nothing'], {}, '--nothing'],
      [[], { CONCORD_PORT: '70000' }, 'CONCORD_PORT'],
      [[], { CONCORD_OWNER_TOKEN: 'short' }, 'CONCORD_OWNER_TOKEN'],
    ])('with the wrong configuration %j %j', async (args, env, name) => {
      const { code, message } = await failure({ args, env });
      expect(code).toBe(2);
      expect(message).toContain(name);
      expect(message).toContain('--help');
    });

    it('on a port in use; the token that it has made is not lost', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const { code, message } = await failure({ env: { CONCORD_PORT: String(port) } });
      expect(code).toBe(1);
      expect(message).toContain(
        `address already in use 127.0.0.1:${port}. Choose another --host, --port or --node-address.`,
      );
      other.close();
      const [, token = ''] = /shown this once: (\S+)/.exec(message) ?? [];
      const service = await start();
      expect(await viewer(service, token)).toBeTypeOf('string');
    });

    it('on an address that is not its own', async () => {
      const { code, message } = await failure({ env: { CONCORD_HOST: '203.0.113.1' } });
      expect(code).toBe(1);
      expect(message).toContain('cannot listen');
    });

    it('where a file is in the way of its store', async () => {
      await writeFile(join(folder, 'file'), '');
      const { code, message } = await failure({ args: ['--store', join(folder, 'file')] });
      expect(code).toBe(1);
      expect(message).toContain('a file is in the way; move it, or choose another folder');
    });

    it('where its store cannot be made', async () => {
      const { code, message } = await failure({ args: ['--store', '/proc/concord'] });
      expect(code).toBe(1);
      expect(message).toContain('/proc/concord');
    });

    it('on a store of a newer version', async () => {
      const service = await start();
      await service.end();
      const store = open({
        path: join(folder, 'store', 'concord.mdb'),
        noSubdir: true,
        encoding: 'binary',
        keyEncoding: 'binary',
      });
      await store.put(Buffer.from('format'), Buffer.from('999'));
      await store.close();
      const { code, message } = await failure({});
      expect(code).toBe(1);
      expect(message).toContain('format 999');
    });

    it('on the folder of a running one, which goes on', async () => {
      const first = await start({ env: { CONCORD_OWNER_TOKEN: OWNER } });
      const { code, message } = await failure({});
      expect(code).toBe(1);
      expect(message).toContain(`is open in another process (pid ${first.pid})`);
      expect(await viewer(first, OWNER)).toBeTypeOf('string');
    });

    it('without a folder of strategies', async () => {
      const store = join(folder, 'store');
      const { code, message } = await failure({
        args: ['--store', store, '--plugins', join(folder, 'none')],
      });
      expect(code).toBe(1);
      expect(message).toContain(join(folder, 'none'));
      // It has let go of the store.
      await start();
    });
  });

  describe('knows its owner', () => {
    it('by a token that it makes at the first start, and shows once, outside the log', async () => {
      const first = await start();
      const [, token = ''] = /shown this once: (\S+)/.exec(first.errors) ?? [];
      const id = await viewer(first, token);
      expect(id).toBeTypeOf('string');
      await first.end();
      expect(first.log).not.toContain(token);
      const second = await start();
      expect(second.errors).toBe('');
      expect(await viewer(second, token)).toBe(id);
    });

    it('by one that is given, and by another one given later', async () => {
      const first = await start({ env: { CONCORD_OWNER_TOKEN: OWNER } });
      expect(first.errors).toBe('');
      const id = await viewer(first, OWNER);
      await first.end();
      const later = 'a-later-token'.padEnd(40, '1');
      const second = await start({ env: { CONCORD_OWNER_TOKEN: later } });
      expect(await viewer(second, later)).toBe(id);
      expect(await viewer(second, OWNER)).toBe(id);
      for (const { log } of [first, second]) expect(log).not.toMatch(new RegExp(`${OWNER}|${later}`));
    });
  });

  describe('stops', () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('in good order at %s, whoever is connected', async (signal) => {
      const service = await start({ env: { CONCORD_OWNER_TOKEN: OWNER } });
      const socket = await RawSocket.connect(service.url, OWNER);
      await fetch(`${service.url}/health`);
      const { code, ms } = await service.end(signal);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(2_000);
      expect(await socket.closed).toEqual({ code: 1012, reason: 'Restarting' });
      expect(service.log).toContain('"msg":"stopped"');
      expect(service.errors).toBe('');
    });

    it('in good order as `npm start`, when npm is told to', async () => {
      const service = await start({ command: ([, , ...args]) => ['npm', 'start', '--', ...args] });
      await service.end('SIGTERM');
      expect(service.log).toContain('"msg":"stopped"');
      await expect(fetch(`${service.url}/health`)).rejects.toThrow();
    });

    it('in good order when one Ctrl-C comes twice, as through npm', async () => {
      const service = await start();
      service.child.kill('SIGINT');
      service.child.kill('SIGINT');
      expect(await service.end('SIGTERM')).toMatchObject({ code: 0 });
      expect(service.log).toContain('"msg":"stopped"');
    });

    it('at once at a second signal, when the first takes long', async () => {
      const service = await start();
      const { hostname, port } = new URL(service.url);
      const half = connect(Number(port), hostname);
      half.on('error', () => undefined);
      half.write(
        'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      );
      await fetch(`${service.url}/health`);
      service.child.kill('SIGTERM');
      await until('it stops', () => service.log.includes('"msg":"stopping"'));
      // Not synchronisation: two signals are told from one by the time between them.
      await sleep(600);
      const { code, ms } = await service.end('SIGTERM');
      expect(code).toBe(1);
      expect(ms).toBeLessThan(1_000);
    });

    it('though a client does not finish what it sends', async () => {
      const service = await start();
      const { hostname, port } = new URL(service.url);
      const half = connect(Number(port), hostname);
      half.on('error', () => undefined);
      half.write(
        'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      );
      await fetch(`${service.url}/health`);
      const { code, ms } = await service.end('SIGTERM');
      expect(code).toBe(0);
      expect(ms).toBeLessThan(8_000);
    });
  });
});
