import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/scale/freePort.ts';
import { NodeLink } from '../../src/http/nodeLink.ts';
import {
  listenForNodes,
  MAX_MESSAGE_BYTES,
  MESSAGE_TYPE,
  type NodeListener,
} from '../../src/http/nodeListener.ts';
import { encodeValue } from '../../src/journal/codec.ts';
import type { StoredValue } from '../../src/journal/port.ts';
import { UnreachedError } from '../../src/service/forwarding.ts';

const SECRET = 'secret'.padEnd(40, '_');

describe('the door for other nodes', () => {
  let listener: NodeListener;
  /** What was let in. */
  const received: StoredValue[] = [];
  const links: NodeLink[] = [];

  beforeEach(async () => {
    listener = await listenForNodes({ host: '127.0.0.1', port: 0 }, SECRET);
    received.length = 0;
  });
  afterEach(async () => {
    for (const link of links.splice(0)) link.close();
    await listener.close();
  });

  const open = () =>
    listener.open(async (message) => {
      received.push(message);
      if (message === 'a bug') throw new Error('a bug');
      return { heard: message };
    });

  function send(message: StoredValue, { secret = SECRET, address = listener.address } = {}) {
    const link = new NodeLink(secret);
    links.push(link);
    return link.send(address, message, AbortSignal.timeout(5_000));
  }

  /** What a request is answered, byte for byte as it is given; only its beginning if `body` says so. */
  async function raw(lines: readonly string[], body: Uint8Array = Buffer.alloc(0)) {
    const [host, port] = listener.address.split(':');
    const socket = connect(Number(port), host);
    socket.write(`${['POST /node HTTP/1.1', 'host: node', ...lines].join('\r\n')}\r\n\r\n`);
    socket.write(body);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  }

  const shown = `authorization: Bearer ${SECRET}`;
  const message = Buffer.from(encodeValue('hello').slice());

  it('answers who shows the secret', async () => {
    open();
    expect(await send({ a: [1, null, 'ä'], bytes: Uint8Array.of(1, 2) })).toEqual({
      heard: { a: [1, null, 'ä'], bytes: Uint8Array.of(1, 2) },
    });
  });

  it.each([
    ['nothing', []],
    ['another secret', [`authorization: Bearer ${'other'.padEnd(40, '_')}`]],
    ['a part of it', [`authorization: Bearer ${SECRET.slice(0, -1)}`]],
    ['it in another way', [`authorization: Basic ${SECRET}`]],
  ])('turns away who shows %s, and hears nothing of what they say', async (_, headers) => {
    open();
    expect(await raw([...headers, `content-length: ${message.length}`], message)).toBe(401);
    expect(received).toEqual([]);
  });

  it('asks how long a message is, before it reads any of it', async () => {
    open();
    expect(await raw([shown, 'transfer-encoding: chunked'])).toBe(411);
    expect(received).toEqual([]);
  });

  it('takes none that is too large, and does not wait for it', async () => {
    open();
    expect(await raw([shown, `content-length: ${MAX_MESSAGE_BYTES + 1}`])).toBe(413);
    expect(received).toEqual([]);
  });

  it('refuses what is no message, and goes on', async () => {
    open();
    const nonsense = Buffer.from([0xc1, 0xc1]);
    expect(await raw([shown, `content-length: ${nonsense.length}`], nonsense)).toBe(400);
    expect(received).toEqual([]);
    expect(await send('hello')).toEqual({ heard: 'hello' });
  });

  it('is at one path only', async () => {
    open();
    const url = `http://${listener.address}`;
    const headers = { authorization: `Bearer ${SECRET}`, 'content-type': MESSAGE_TYPE };
    expect((await fetch(`${url}/graphql`, { method: 'POST', headers, body: message })).status).toBe(404);
    expect((await fetch(`${url}/node`, { headers })).status).toBe(404);
  });

  describe('tells the node that asks whether it has certainly done nothing:', () => {
    it('it has, where it shows another secret', async () => {
      open();
      await expect(send('hello', { secret: 'other'.padEnd(40, '_') })).rejects.toThrow(
        new UnreachedError('it has another cluster secret'),
      );
    });

    it('it has, where the other is not ready', async () => {
      await expect(send('hello')).rejects.toThrow(new UnreachedError('it is not ready'));
    });

    it('it has, where nobody listens', async () => {
      const address = `127.0.0.1:${await freePort()}`;
      await expect(send('hello', { address })).rejects.toBeInstanceOf(UnreachedError);
    });

    it('it has perhaps, where the other has failed', async () => {
      open();
      await expect(send('a bug')).rejects.not.toBeInstanceOf(UnreachedError);
      expect(received).toEqual(['a bug']);
    });
  });
});
