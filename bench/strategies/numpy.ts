import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CLASSES, COUNT, DIMENSIONS, PASSES } from './inputs.ts';

const SCRIPT = fileURLToPath(new URL('../../../bench/strategies/yardstick.py', import.meta.url));
/** Debian's, for which `apt-get install python3-numpy` is enough. */
const PYTHON = '/usr/bin/python3';
const ONE_THREAD = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

/** numpy in a process of its own, which takes turns with what it is compared with. */
export class Numpy {
  readonly version: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: Interface,
    answers: AsyncIterator<string>,
    version: string,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#answers = answers;
    this.version = version;
  }

  /**
   * @param folder where the inputs are written
   * @throws {Error} there is no numpy, or it cannot read them
   */
  static async start(folder: string): Promise<Numpy> {
    const args = [SCRIPT, folder, ...[CLASSES, PASSES, DIMENSIONS, COUNT].map(String)];
    const child = spawn(PYTHON, args, {
      env: { ...process.env, ...ONE_THREAD },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.on('error', () => {});
    const lines = createInterface({ input: child.stdout });
    const answers = lines[Symbol.asyncIterator]();
    const { value, done } = await answers.next();
    if (done) {
      throw new Error(
        `${PYTHON} could not begin (see above). It needs numpy: on Debian, apt-get install python3-numpy`,
      );
    }
    return new Numpy(child, lines, answers, JSON.parse(value).numpy);
  }

  /** One turn of each formulation of a strategy, in milliseconds by its name. */
  async turn(strategy: string): Promise<Readonly<Record<string, number>>> {
    this.#child.stdin.write(`${strategy}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`numpy ended while it computed ${strategy}`);
    return JSON.parse(value);
  }

  stop(): void {
    this.#child.stdin.end();
    this.#lines.close();
  }
}
