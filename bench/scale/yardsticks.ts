import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Connection } from './connection.ts';
import type { Tasks } from './tasks.ts';

/** Of about the size of a submit's request and answer. */
const REQUEST = JSON.stringify({ query: 'x'.repeat(3_500) });
const ANSWER = JSON.stringify({ data: 'x'.repeat(600) });

/** A server that reads each body and answers all alike: what Node's HTTP itself costs. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => {
    JSON.parse(text);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': workerData.length });
    response.end(workerData);
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

export const yardstickTasks = {
  async bareHttp({ connections, seconds }: Tasks['bareHttp']['input']) {
    const worker = new Worker(SERVER, { eval: true, workerData: ANSWER });
    const [port] = await once(worker, 'message');
    const url = `http://127.0.0.1:${port}/`;
    const from = performance.now() + 1_000;
    const until = from + seconds * 1_000;
    let answers = 0;
    const ask = async () => {
      const connection = new Connection(url);
      while (performance.now() < until) {
        const response = await connection.fetch(url, { body: REQUEST });
        await response.text();
        if (performance.now() >= from) answers++;
      }
      connection.close();
    };
    await Promise.all(Array.from({ length: connections }, ask));
    await worker.terminate();
    return { rate: answers / seconds };
  },
};
