import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serveCommands } from './process.ts';

/** The yardstick: a plain broadcast of ready bytes by `ws`. Whatever a client says, it is acknowledged. */
const bytes = Number(process.argv[2]);
/** Messages to each client at a time. */
const messages = Number(process.argv[3] ?? 1);

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.once('message', () => socket.send('{"type":"connection_ack"}'));
});

const message = Buffer.from('x'.repeat(bytes));

async function broadcast(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (const client of server.clients) {
      for (let n = 0; n < messages; n++) client.send(message, { binary: false });
    }
    // As long as anything lies here, more would only pile up.
    do await new Promise((resolve) => setImmediate(resolve));
    while ([...server.clients].some((client) => client.bufferedAmount > 0));
  }
}

http.listen(0, '127.0.0.1', () => {
  const close = async () => {
    for (const client of server.clients) client.terminate();
    http.close();
  };
  serveCommands(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { broadcast, close });
});
