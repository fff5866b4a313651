import { connectDriver } from '@concord/sdk/driver';
import { openProject } from '../live/project.ts';
import { median, shares } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { run } from '../scale/tasks.ts';
import { CLASSES } from '../scale/workload.ts';
import { COUNT, SAMPLES } from './inputs.ts';

const ANNOTATORS = 100;
/** Labels a second, of all together. */
const RATE = 200;
const SECONDS = 15;
const STRATEGY = 'entropy';

/** What people who claim notice of rounds that are scored meanwhile, over a million samples. */
export async function claimRows(tell: (what: string) => void): Promise<Row[]> {
  tell('a project of a million samples with predictions');
  const opened = await openProject(SAMPLES, { withoutRound: 'POOL' }, CLASSES);
  try {
    const { url, token, project, server } = opened;
    await run('publish', { url, token, project, rows: SAMPLES });
    const tokens = await opened.annotators(ANNOTATORS);
    const label = () =>
      run('pace', { url, token, project, tokens, seconds: SECONDS, rate: RATE, topUp: false });

    tell('claims at rest');
    await server.usage({ collect: true });
    const rest = await label();
    const restDelay = (await server.usage()).delay;

    tell('claims while rounds are scored');
    const scoring = new Scoring(await connectDriver({ url, token }).project(project));
    const busy = await label();
    const rounds = await scoring.stop();
    const busyDelay = (await server.usage()).delay;
    if (rest.claim === null || busy.claim === null) throw new Error('nothing was claimed');

    const delay = ({ p99, max }: { p99: number; max: number }) => `${p99.toFixed(1)} / ${max.toFixed(1)} ms`;
    return [
      told(
        'claim at rest',
        shares(rest.claim),
        `p50 / p95 / p99; ${ANNOTATORS} annotators label and claim ${RATE} samples a second of ${SAMPLES.toLocaleString('en-US')}; the event loop's delay ${delay(restDelay)} (p99 / max, of timers of 1 ms)`,
      ),
      told(
        'claim while 1M rows are scored',
        shares(busy.claim),
        `${rounds.length} rounds of ${COUNT.toLocaleString('en-US')} by ${STRATEGY}, one after the other without a pause, ${median(rounds).toFixed(0)} ms each to open; the event loop's delay ${delay(busyDelay)}`,
      ),
    ];
  } finally {
    await opened.close();
  }
}

type Project = Awaited<ReturnType<ReturnType<typeof connectDriver>['project']>>;

/** Opens and closes rounds without a pause. */
class Scoring {
  readonly #took: number[] = [];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(project: Project) {
    this.#done = this.#go(project);
    // It is heard of when it is waited for.
    this.#done.catch(() => {});
  }

  async #go(project: Project): Promise<void> {
    while (!this.#isOver) {
      const since = performance.now();
      const round = await project.openRound({ size: COUNT, strategy: STRATEGY });
      this.#took.push(performance.now() - since);
      await project.closeRound(round);
    }
  }

  /** How long each took to open, in milliseconds. */
  async stop(): Promise<readonly number[]> {
    this.#isOver = true;
    await this.#done;
    return this.#took;
  }
}
