import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { destroyUnread } from '../../src/http/unread.ts';

describe('an answer', () => {
  async function serving(bytes: number, workMs = 0) {
    let ended = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const server = createServer((_, response) => {
      destroyUnread(response, 60);
      response.once('close', ended);
      setTimeout(() => response.end('x'.repeat(bytes)), workMs);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return { server, socket, end };
  }

  it('that nobody reads is cut off', async () => {
    const { server, socket, end } = await serving(64 * 1024 * 1024);
    socket.pause();
    await end;
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.resume();
    await once(socket, 'close');
    expect(bytes).toBeLessThan(64 * 1024 * 1024);
    server.close();
  });

  it('that takes its time is waited for', async () => {
    const { server, socket } = await serving(10, 200);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('xxxxxxxxxx');
    socket.destroy();
    server.close();
  });
});
