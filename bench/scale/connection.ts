import { connect, type Socket } from 'node:net';

/**
 * One HTTP/1.1 connection that stays open and carries one request at a time, in the shape of `fetch`. The SDK
 * takes it in place of the platform's, which costs more than the server does and would be what is measured.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #head: string;
  #received = '';
  #answer: { resolve: (response: Response) => void; reject: (error: Error) => void } | null = null;

  constructor(url: string) {
    const { hostname, port, pathname, host } = new URL(url);
    this.#head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\n`;
    this.#socket = connect(Number(port), hostname);
    this.#socket.setNoDelay(true);
    // Concord answers in ASCII here, so that characters are bytes.
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text) => this.#take(String(text)));
    this.#socket.on('error', (error) => this.#answer?.reject(error));
    this.#socket.on('close', () => this.#answer?.reject(new Error('the server closed the connection')));
  }

  readonly fetch: typeof globalThis.fetch = (_url, { headers, body } = {}) =>
    new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      const text = String(body);
      let head = this.#head;
      for (const [name, value] of Object.entries(headers ?? {})) head += `${name}: ${value}\r\n`;
      this.#socket.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });

  close(): void {
    this.#answer = null;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (Number.isNaN(length)) this.#fail(new Error(`an answer of unknown length: ${head}`));
    if (!(this.#received.length >= end + 4 + length)) return;
    const body = this.#received.slice(end + 4);
    this.#received = '';
    const answer = this.#answer;
    this.#answer = null;
    answer?.resolve(lean(Number(head.slice(9, 12)), body));
  }

  #fail(error: Error): void {
    this.#answer?.reject(error);
    this.close();
  }
}

/** What the SDK reads of an answer; the platform's object takes as long to make as the server takes to answer. */
function lean(status: number, body: string): Response {
  const read: Pick<Response, 'status' | 'text'> = { status, text: () => Promise.resolve(body) };
  return read as Response;
}
