import type { IncomingMessage } from 'node:http';
import { CloseCode, type Server as Protocol } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Viewer } from '../service/access.ts';
import type { HeldAnswer } from './answers.ts';
import type { Faults } from './faults.ts';
import { Inbox } from './inbox.ts';
import type { Outbox } from './outbox.ts';

/** What is known of a connection beside the protocol's own. */
export interface Connection {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** Who it belongs to, once it is acknowledged. */
  viewer?: Viewer;
  /** What it is sent of shared streams. */
  readonly outbox: Outbox;
  /** Answers under way, by the ids of their operations. */
  readonly answers: Map<string, HeldAnswer>;
}

/** 1013 "try again later": the reference client comes back by itself. */
const TRY_AGAIN_LATER = 1013;
/** What a socket says of itself when it is closed for want of reading. */
export const DROPPED = 'dropped';
/** Who has so much unread may not ask for more, in bytes. */
const MAX_UNREAD_BYTES = 12 * 1024 * 1024;
/** How often a connection is asked for a sign of life, in milliseconds; without one, it is cut at the next. */
const PING_MS = 12_000;

/**
 * Joins a socket to graphql-ws's core. Its own adapter would do as well, but it prints to the console where this
 * logs, and lets who never reads pile up answers.
 */
export function speak(protocol: Protocol<Connection>, connection: Connection, faults: Faults): void {
  const { socket } = connection;
  // Broken frames, oversize messages, a lost network: `ws` closes the socket by itself, with the right code.
  socket.on('error', () => undefined);
  const stopPinging = keepAlive(socket);
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) => send(socket, text),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) => {
        const inbox = new Inbox({
          handle,
          close: (code, reason) => socket.close(code, reason),
          // What still runs for it, as a strategy that chooses, is given up.
          onCompleted: (id) => connection.answers.get(id)?.end(),
        });
        socket.on('message', (message) => {
          inbox.receive(String(message)).catch((error: unknown) => {
            faults.report(error, 'fault in a WebSocket message');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    connection,
  );
  socket.once('close', (code, reason) => {
    stopPinging();
    closed(code, String(reason)).catch((error: unknown) => faults.report(error, 'fault at a socket’s end'));
  });
}

/** Resolves when the system has taken the text; a stream waits for that, and so for its reader. */
function send(socket: WebSocket, text: string): Promise<void> {
  if (socket.bufferedAmount > MAX_UNREAD_BYTES) dropSlow(socket);
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  // An error closes the socket, and the streams with it.
  return new Promise((resolve) => {
    socket.send(text, () => resolve());
  });
}

/** Closes a connection whose client does not read; it comes back by itself. */
export function dropSlow(socket: WebSocket): void {
  if (socket.readyState === socket.OPEN) socket.emit(DROPPED);
  socket.close(TRY_AGAIN_LATER, 'Too slow');
}

function keepAlive(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const pinging = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS);
  return () => clearInterval(pinging);
}
