import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The built service in a process of its own, on a fresh store. */
export interface Service {
  /** The GraphQL endpoint; it stays the same over a restart. */
  readonly url: string;
  readonly ownerToken: string;
  /** Stops it and starts it again on the same store and port. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

export async function startService({ plugins }: { readonly plugins?: string } = {}): Promise<Service> {
  const store = await mkdtemp(join(tmpdir(), 'concord-sdk-'));
  const ownerToken = `owner_${'x'.repeat(40)}`;
  const start = (port: number) => launch(store, port, ownerToken, plugins);
  let running = await start(0);
  const { url } = running;
  return {
    url,
    ownerToken,
    async restart(signal = 'SIGTERM') {
      await end(running.child, signal);
      running = await start(Number(new URL(url).port));
    },
    async stop() {
      await end(running.child, 'SIGTERM');
      await rm(store, { recursive: true, force: true });
    },
  };
}

async function launch(store: string, port: number, ownerToken: string, plugins: string | undefined) {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'dist/bundle/http/cli.js'),
      ...['--port', String(port), '--store', store],
      ...(plugins === undefined ? [] : ['--plugins', plugins]),
    ],
    { env: { ...process.env, CONCORD_OWNER_TOKEN: ownerToken }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ready = new Promise<string>((resolve) => {
    child.stdout.on('data', () => {
      const url = /"url":"([^"]+)"/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the service ended with ${code}: ${said}`);
  });
  failed.catch(() => {});
  return { child, url: await Promise.race([ready, failed]) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** A script of `dist` in a process of its own. */
export interface Script {
  /** All it has written to standard output. */
  readonly output: () => string;
  /** Waits until its output, from where the last call has found something, matches. */
  until(pattern: RegExp): Promise<void>;
  write(text: string): void;
  /** Ends its standard input, and waits until it has ended well. */
  done(): Promise<string>;
}

export function runScript(file: string, env: Readonly<Record<string, string>>, cwd: string = ROOT): Script {
  const child = spawn(process.execPath, [file], { cwd, env: { ...process.env, ...env } });
  let output = '';
  let problems = '';
  let seen = 0;
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    problems += text;
  });
  const exited = once(child, 'exit').then(([code]) => {
    for (const listener of listeners) listener();
    if (code !== 0) throw new Error(`${file} ended with ${code}: ${problems}\n${output}`);
    return output;
  });
  exited.catch(() => {});
  return {
    output: () => output,
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(output.slice(seen));
        if (found) {
          seen += found.index + found[0].length;
          return;
        }
        if (child.exitCode !== null) {
          await exited;
          throw new Error(`${file} ended and never said ${pattern}: ${output}`);
        }
        await new Promise<void>((resolve) => {
          listeners.add(resolve);
        });
      }
    },
    write: (text) => child.stdin.write(text),
    async done() {
      child.stdin.end();
      return exited;
    },
  };
}
