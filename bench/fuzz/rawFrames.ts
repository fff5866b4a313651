import { once } from 'node:events';
import { connect } from 'node:net';
import { type Door, isFaultCode, type Target } from './doors.ts';

const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
].join('\r\n');

/** How long the service may take to close a connection whose client has said all it has, in milliseconds. */
const CLOSES_WITHIN_MS = 5_000;
const TEXT = 0x81;
const PING = 0x89;
const CONTINUED = 0x01;
const LAST_PART = 0x80;
const CLOSE = 0x8;

/**
 * Bytes of frames (RFC 6455, section 5.2), headers and masks among them: each input on a connection of its own that has
 * shown its token, in one piece or two, and then the client's end.
 */
export function rawFrames({ url, token }: Target, messages: readonly string[]): Door {
  const hello = frameOf(
    TEXT,
    JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }),
  );
  return {
    name: 'WebSocket frames',
    share: 0.05,
    corpus: [
      ...messages.map((message) => frameOf(TEXT, message)),
      frameOf(TEXT, messages[0] ?? '') + frameOf(PING, 'are you there') + frameOf(TEXT, messages[1] ?? ''),
      frameOf(CONTINUED, (messages[0] ?? '').slice(0, 20)) +
        frameOf(LAST_PART, (messages[0] ?? '').slice(20)),
      frameOf(LAST_PART | CLOSE, '\x03\xe8bye'),
    ],
    together: 8,
    async enter(input, roll) {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
      });
      socket.on('error', () => undefined);
      const closed = once(socket, 'close');
      const until = async (text: string) => {
        while (!heard.includes(text)) {
          if (socket.closed) throw new Error(`closed before anything was sent: ${heard}`);
          await Promise.race([once(socket, 'data'), closed]);
        }
      };
      socket.write(`${UPGRADE}\r\n\r\n`);
      await until('\r\n\r\n');
      socket.write(hello, 'latin1');
      await until('connection_ack');
      heard = heard.slice(heard.indexOf('\r\n\r\n') + 4);
      const cut = roll() % 2 === 0 ? 0 : roll() % (input.length + 1);
      socket.write(input.slice(0, cut), 'latin1');
      if (cut > 0) await new Promise((resolve) => setImmediate(resolve));
      socket.end(input.slice(cut), 'latin1');
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        socket.destroy();
      }, CLOSES_WITHIN_MS);
      await closed;
      clearTimeout(timer);
      if (isLate) throw new Error(`not closed within ${CLOSES_WITHIN_MS} ms`);
      const code = closeCodeIn(heard);
      if (code !== null && isFaultCode(code)) throw new Error(`closed with ${code}`);
    },
  };
}

/** A frame of a client, with a mask that changes nothing, one character a byte. */
function frameOf(first: number, text: string): string {
  const payload = Buffer.from(text).toString('latin1');
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return String.fromCharCode(first, ...size, 0, 0, 0, 0) + payload;
}

/** The code of the close frame among frames of the service; null: there is none. */
function closeCodeIn(frames: string): number | null {
  const bytes = Buffer.from(frames, 'latin1');
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1) & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + header > bytes.length) return null;
    const length =
      header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : bytes.readUIntBE(at + 4, 6);
    const isClose = (bytes.readUInt8(at) & 0x0f) === CLOSE;
    if (isClose)
      return length >= 2 && at + header + 2 <= bytes.length ? bytes.readUInt16BE(at + header) : null;
    at += header + length;
  }
  return null;
}
