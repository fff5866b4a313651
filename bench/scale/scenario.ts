import { randomBytes } from 'node:crypto';
import { connectDriver, type DriverProject, type Round } from '@concord/sdk/driver';
import { timed } from './driving.ts';
import { count, median, medianLatency, seconds, shares } from './figures.ts';
import type { Options } from './options.ts';
import { type Memory, Server } from './server.ts';
import { aimed, type Row, told } from './table.ts';
import { begin, type Labelled, run, type Target } from './tasks.ts';
import { CLASSES } from './workload.ts';

const CROWD = 1_000;
const BUSY = 100;
const PACE = 2_000;
/** Submits a second while samples are imported. */
const PACE_DURING_IMPORT = 500;
const ROUND = 10_000;
/** People label from a large round, so that it lasts. */
const WORKING_ROUND = 100_000;
const SEED = 7;

/** The life of one project, measured. */
export class Scenario {
  readonly #folder: string;
  readonly #options: Options;
  readonly #tell: (what: string) => void;
  readonly #rows: Row[] = [];
  readonly #token = randomBytes(32).toString('base64url');
  readonly #tokens: string[] = [];
  #server: Server | null = null;
  #project: DriverProject | null = null;
  #work: Round | null = null;
  #peak: Memory = { anonymous: 0, total: 0 };

  constructor(folder: string, options: Options, tell: (what: string) => void) {
    this.#folder = folder;
    this.#options = options;
    this.#tell = tell;
  }

  async run(): Promise<Row[]> {
    await this.#start();
    const watching = setInterval(() => void this.#watchMemory(), 200);
    try {
      await this.#prepare();
      await this.#import();
      await this.#publish();
      await this.#openRounds();
      await this.#saturate();
      await this.#pace();
      await this.#memory();
      await this.#restart();
      // Last, for it makes the project larger than the figures above are for.
      await this.#importMeanwhile();
      return this.#rows;
    } finally {
      clearInterval(watching);
      await this.#server?.stop();
    }
  }

  get #running(): Server {
    if (this.#server === null) throw new Error('no server was started');
    return this.#server;
  }

  get #opened(): DriverProject {
    if (this.#project === null) throw new Error('no project was made');
    return this.#project;
  }

  get #target(): Target {
    return { url: this.#running.url, token: this.#token, project: this.#opened.id };
  }

  async #start(): Promise<void> {
    this.#server = await Server.start(this.#folder, this.#token, this.#options.profiles);
  }

  async #watchMemory(): Promise<void> {
    const { anonymous, total } = await this.#running.memory().catch(() => this.#peak);
    this.#peak = {
      anonymous: Math.max(this.#peak.anonymous, anonymous),
      total: Math.max(this.#peak.total, total),
    };
  }

  async #prepare(): Promise<void> {
    this.#tell(`adding ${CROWD} annotators`);
    const driver = connectDriver({ url: this.#running.url, token: this.#token });
    this.#project = await driver.createProject({
      name: 'bench',
      labels: [...CLASSES],
      seed: SEED,
      policy: { workSessionMinutes: 0, withoutRound: 'POOL' },
    });
    for (let i = 0; i < CROWD; i++) {
      const person = { name: `annotator ${i}`, role: 'ANNOTATOR', kind: 'PERSON' } as const;
      this.#tokens.push((await this.#opened.addMember(person)).token);
    }
  }

  async #import(): Promise<void> {
    const { samples } = this.#options;
    this.#tell(`importing ${count(samples)} samples`);
    const input = { ...this.#target, importId: 'bench', from: 0, to: samples };
    const { milliseconds } = await run('import', input);
    const rate = samples / (milliseconds / 1_000);
    this.#rows.push(
      aimed(
        `import of ${count(samples)} samples`,
        `${count(rate)} samples/s (${seconds(milliseconds)})`,
        { value: rate, least: 200_000, unit: 'samples/s' },
        'payloads of 100 bytes, as the SDK does it',
      ),
    );
  }

  async #publish(): Promise<void> {
    const { samples, repeats } = this.#options;
    const times: number[] = [];
    for (let i = 0; i < repeats; i++) {
      this.#tell('publishing predictions');
      times.push((await run('publish', { ...this.#target, rows: samples })).milliseconds);
    }
    this.#rows.push(
      aimed(
        `publishing ${count(samples)} × ${CLASSES.length} float32`,
        seconds(median(times)),
        { value: median(times), most: 1_000, unit: 'ms' },
        `median of ${repeats}: ${times.map(seconds).join(', ')}`,
      ),
    );
  }

  async #openRounds(): Promise<void> {
    const { repeats } = this.#options;
    const project = this.#opened;
    const times: number[] = [];
    for (let i = 0; i <= repeats; i++) {
      this.#tell('opening a round');
      let round = { id: '' };
      const open = async () => {
        round = await project.openRound({
          size: ROUND,
          strategy: 'hybrid',
          parameters: { base: 'entropy' },
          seed: SEED + i,
        });
      };
      times.push(await timed(open));
      await project.closeRound(round);
    }
    const [first = 0, ...later] = times;
    this.#rows.push(
      aimed(
        `opening a round of ${count(ROUND)}, hybrid over entropy`,
        `${seconds(median(later))}; the first after publishing ${seconds(first)}`,
        { value: median(later), most: 300, unit: 'ms' },
        `median of ${repeats}: ${later.map(seconds).join(', ')}`,
      ),
    );
  }

  /** Opens a large round in place of the one before, so that there is work for a while; behind it is the pool. */
  async #openWork(): Promise<void> {
    if (this.#work !== null) await this.#opened.closeRound(this.#work);
    const size = Math.min(WORKING_ROUND, Math.floor(this.#options.samples / 4));
    this.#work = await this.#opened.openRound({ size, strategy: 'entropy', parameters: {}, seed: SEED });
  }

  async #saturate(): Promise<void> {
    const tokens = this.#tokens.slice(0, BUSY);
    const each = { ...this.#target, tokens, seconds: this.#options.seconds };
    const bare = await run('bareHttp', { connections: BUSY, seconds: 3 });
    const one = await this.#repeated('one step', () => run('saturate', { ...each, topUp: true }));
    this.#rows.push(
      aimed(
        `${BUSY} annotators without a pause: submit and claim in one step`,
        `${count(one.rate)}/s; ${shares(one.submit)}`,
        { value: one.rate, least: 8_000, unit: 'claim + submit/s' },
        `p50 / p95 / p99; ${one.note}; a bare Node server answers ${count(bare.rate)} such requests/s`,
      ),
    );
    const two = await this.#repeated('two steps', () => run('saturate', { ...each, topUp: false }));
    this.#rows.push(
      told(
        'the same, claim and submit as two requests',
        `${count(two.rate)}/s; claim ${two.claim && shares(two.claim)}, submit ${shares(two.submit)}`,
        `${count(2 * two.rate)} requests/s; ${two.note}`,
      ),
    );
  }

  async #pace(): Promise<void> {
    const each = {
      ...this.#target,
      tokens: this.#tokens,
      seconds: this.#options.seconds,
      rate: PACE,
      topUp: true,
    };
    const what = `${count(CROWD)} annotators, ${count(PACE)} submits/s in all`;
    const alone = await this.#repeated(what, () => run('pace', each));
    this.#rows.push(
      aimed(
        `${what}: submit`,
        shares(alone.submit),
        { value: alone.submit.p99, most: 20, unit: 'ms at p99' },
        `${count(alone.rate)}/s, each claims the next; from when it was due; ${alone.note}`,
      ),
    );
    const following = begin('follow', { ...this.#target, tokens: this.#tokens });
    await following.output;
    const live = await this.#repeated(`${what}, live`, () => run('pace', each));
    following.end();
    this.#rows.push(
      told(
        'the same, each following their live queue over WebSocket',
        shares(live.submit),
        `${count(live.rate)}/s; ${live.note}`,
      ),
    );
  }

  async #importMeanwhile(): Promise<void> {
    const { samples } = this.#options;
    const more = Math.ceil(samples / 2);
    this.#tell('importing while people label');
    await this.#openWork();
    const pace = {
      ...this.#target,
      tokens: this.#tokens,
      seconds: this.#options.seconds,
      rate: PACE_DURING_IMPORT,
      topUp: true,
    };
    const calm = await run('pace', pace);
    const labelling = begin('pace', pace);
    const importing = begin('import', {
      ...this.#target,
      importId: 'more',
      from: samples,
      to: samples + more,
    });
    const [labelled, { milliseconds }] = await Promise.all([labelling.output, importing.output]);
    labelling.end();
    importing.end();
    this.#rows.push(
      told(
        `submit during an import, ${count(PACE_DURING_IMPORT)} submits/s`,
        shares(labelled.submit),
        `without the import ${shares(calm.submit)}; ${count(more)} samples in ${seconds(milliseconds)}`,
      ),
    );
  }

  async #memory(): Promise<void> {
    const now = await this.#running.memory();
    this.#rows.push(
      aimed(
        'memory of the server after all that',
        `${count(now.anonymous)} MiB anonymous of ${count(now.total)} MiB`,
        { value: now.anonymous, most: 300, unit: 'MB' },
        `at its peak ${count(this.#peak.anonymous)} of ${count(this.#peak.total)}; the rest is the store's file, mapped`,
      ),
    );
  }

  async #restart(): Promise<void> {
    const times: number[] = [];
    let memory: Memory = { anonymous: 0, total: 0 };
    for (let i = 0; i < this.#options.repeats; i++) {
      this.#tell('restarting');
      await this.#running.stop();
      times.push(
        await timed(async () => {
          await this.#start();
          const driver = connectDriver({ url: this.#running.url, token: this.#token });
          this.#project = await driver.project(this.#opened.id);
          await this.#project.progress();
        }),
      );
      memory = await this.#running.memory();
    }
    this.#rows.push(
      aimed(
        'ready after a restart: the project answers',
        seconds(median(times)),
        { value: median(times), most: 2_000, unit: 'ms' },
        `median of ${times.length}: ${times.map(seconds).join(', ')}; then ${count(memory.anonymous)} MiB anonymous of ${count(memory.total)}`,
      ),
    );
  }

  /** The median of several runs, and how busy the server was. */
  async #repeated(what: string, once: () => Promise<Labelled>) {
    const runs: Labelled[] = [];
    const busy: number[] = [];
    const costs: number[] = [];
    for (let i = 0; i < this.#options.repeats; i++) {
      this.#tell(what);
      await this.#openWork();
      const before = await this.#running.processorSeconds();
      const since = performance.now();
      runs.push(await once());
      const elapsed = (performance.now() - since) / 1_000;
      const spent = (await this.#running.processorSeconds()) - before;
      busy.push(spent / elapsed);
      costs.push((spent / elapsed / (runs.at(-1)?.rate ?? 0)) * 1e6);
    }
    const claims = runs.flatMap(({ claim }) => claim ?? []);
    return {
      rate: median(runs.map(({ rate }) => rate)),
      submit: medianLatency(runs.map(({ submit }) => submit)),
      claim: claims.length === 0 ? null : medianLatency(claims),
      note: `the server took ${median(busy).toFixed(1)} cores, ${count(median(costs))} µs of processor time a label; median of ${runs.length}`,
    };
  }
}
