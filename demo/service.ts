import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Service {
  /** Such as `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  readonly ownerToken: string;
  /** Where it writes its log. */
  readonly log: string;
  /** Stops it as an operator would, and waits until it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts the built service as a process of its own, on the embedded store in a folder.
 * @param port 0: any free one
 */
export async function startService({
  folder,
  port,
}: {
  readonly folder: string;
  readonly port: number;
}): Promise<Service> {
  const cli = fileURLToPath(new URL('../bundle/http/cli.js', import.meta.url));
  const ownerToken = randomBytes(32).toString('base64url');
  const child = spawn(process.execPath, [cli, '--port', String(port), '--store', join(folder, 'store')], {
    env: { ...process.env, CONCORD_OWNER_TOKEN: ownerToken, CONCORD_RATE: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is the demo's to handle: it stops the service when it has said goodbye.
    detached: true,
  });
  const log = join(folder, 'service.log');
  const file = createWriteStream(log);
  child.stderr.pipe(file, { end: false });
  const url = await ready(child, (line) => file.write(`${line}\n`));
  return {
    url,
    ownerToken,
    log,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The URL that the service says it listens at. */
async function ready(child: ChildProcess, keep: (line: string) => void): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error('the service has no output');
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the service ended with code ${code}: ${complaint.trim()}`)),
    );
    lines.on('line', (line) => {
      keep(line);
      const entry = JSON.parse(line);
      if (entry.msg === 'ready') resolve(entry.url);
    });
  });
}
