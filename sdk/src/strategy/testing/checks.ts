import type { FullSelection, Strategy } from '../contract.ts';
import { elsewhere, forbidding } from './chance.ts';
import { chooseOn, insist, type StandOptions, scoresAt } from './stand.ts';
import { type Universe, universe } from './universe.ts';

/** What a check is run with. */
export interface Subject {
  readonly strategy: Strategy;
  readonly parameters: unknown;
  readonly others: readonly Strategy[];
  /** How long a strategy may take to end, in milliseconds. */
  readonly patience: number;
  /** Imports it anew; null: nobody has said how. */
  readonly reload: (() => Promise<Strategy>) | null;
}

type Checking = (subject: Subject) => void | Promise<void>;

const TWO_CLASSES = universe('40 samples of 2 classes', { open: 40, classes: 2 });
const TEN_CLASSES = universe('60 samples of 10 classes', { open: 60, classes: 10, dimensions: 7 });
const MANY_CLASSES = universe('12 samples of 101 classes', { open: 12, classes: 101, dimensions: 1 });
const ALIKE = universe('25 samples that are all alike', { open: 25, classes: 3, rows: 'alike' });
const CERTAIN = universe('20 samples, each surely of one class', { open: 20, classes: 4, rows: 'certain' });
const ALL = [TWO_CLASSES, TEN_CLASSES, MANY_CLASSES, ALIKE, CERTAIN];

const options = (
  { parameters, others }: Subject,
  count: number,
  more: Partial<StandOptions> = {},
): StandOptions => ({ count, seed: 1, parameters, others, signal: new AbortController().signal, ...more });

/** What is promised, by the name under which it is checked. */
export const CHECKS: Readonly<Record<string, Checking>> = {
  async 'chooses as many as it should, each once, in the shapes of the contract'(subject) {
    for (const pool of ALL) {
      for (const count of [1, 7, pool.open.length]) {
        await on(pool, () => chooseOn(subject.strategy, pool, options(subject, count)));
      }
    }
  },

  async 'keeps its scores within its bounds, for any number of classes'(subject) {
    const { strategy } = subject;
    if (strategy.maximum !== null) {
      for (let classes = 2; classes <= 1000; classes++) {
        const maximum = strategy.maximum(classes);
        insist(
          maximum > 0 && maximum < Number.POSITIVE_INFINITY,
          `its maximum for ${classes} classes is ${maximum}; it must be finite and > 0`,
        );
      }
    }
    for (const pool of ALL) {
      await on(pool, async () => {
        const { scores } = await chooseOn(strategy, pool, options(subject, pool.open.length));
        const most = (strategy.maximum?.(pool.classes) ?? Number.POSITIVE_INFINITY) * (1 + 1e-5);
        scores.forEach((score) => {
          insist(!(score > most), `a score is ${score}, above its maximum of ${most}`);
        });
      });
    }
  },

  async 'chooses the same in the same order under the same seed'(subject) {
    for (const pool of ALL) {
      await on(pool, async () => {
        const one = await chooseOn(subject.strategy, pool, options(subject, 9));
        // In between it sees something else: what it remembers of that would show.
        await chooseOn(subject.strategy, TWO_CLASSES, options(subject, 3, { seed: 5 }));
        insistSame(
          one,
          await chooseOn(subject.strategy, pool, options(subject, 9)),
          'the second time it chose otherwise',
        );
      });
    }
  },

  async 'uses no chance but its seed, and no clock'(subject) {
    const used = await forbidding(() => chooseOn(subject.strategy, TEN_CLASSES, options(subject, 5)));
    insist(used === null, `it used ${used}`);
  },

  async 'chooses the same when it is imported anew'(subject) {
    const { strategy, reload } = subject;
    if (reload === null) return;
    for (const luck of [0, 9]) {
      const { result, used } = await elsewhere(luck, reload);
      const why = used === null ? '' : `, and while it is imported it uses ${used}`;
      for (const pool of ALL) {
        await on(pool, async () => {
          const one = await chooseOn(strategy, pool, options(subject, 9));
          const other = await chooseOn(result, pool, options(subject, 9));
          insistSame(one, other, `imported anew it chose otherwise${why}`);
        });
      }
    }
  },

  async 'chooses the same however the rows are split'(subject) {
    const { strategy } = subject;
    if (strategy.kind !== 'score') return;
    for (const pool of ALL) {
      await on(pool, () => {
        const whole = scoresAt(strategy, pool, pool.open, options(subject, 1));
        for (const block of [1, 2, 7]) {
          const parts = scoresAt(strategy, pool, pool.open, options(subject, 1), block);
          insistEqual(whole, parts, `in blocks of ${block} the scores are others`);
        }
      });
    }
  },

  async 'gives a row the same score in whatever order the rows stand'(subject) {
    const { strategy } = subject;
    if (strategy.kind !== 'score') return;
    for (const pool of ALL) {
      await on(pool, () => {
        const forwards = scoresAt(strategy, pool, pool.open, options(subject, 1));
        const backwards = scoresAt(strategy, pool, [...pool.open].reverse(), options(subject, 1));
        insistEqual(forwards, backwards.reverse(), 'with the rows in reverse the scores are others');
      });
    }
  },

  async 'breaks ties, the same way each time'(subject) {
    for (const count of [1, 10, ALIKE.open.length]) {
      const one = await chooseOn(subject.strategy, ALIKE, options(subject, count));
      const other = await chooseOn(subject.strategy, ALIKE, options(subject, count));
      insistSame(one, other, `of ${ALIKE.title} it chose ${count} others the second time`);
    }
  },

  async 'leaves what it is given as it is'(subject) {
    for (const pool of [TEN_CLASSES, ALIKE]) {
      const frozen = watched(subject.strategy);
      await on(pool, () => chooseOn(frozen.strategy, pool, options(subject, 5)));
      frozen.insistUntouched();
    }
  },

  async 'works on one sample, on two, and where nothing needs review'(subject) {
    const pools = [
      universe('one sample', { open: 1, classes: 2, isAccepted: () => false }),
      universe('two samples', { open: 2, classes: 3, isAccepted: () => false }),
      universe('one sample that was auto-accepted', { open: 1, classes: 2, isAccepted: () => true }),
      universe('10 samples that were all auto-accepted', { open: 10, classes: 2, isAccepted: () => true }),
    ];
    for (const pool of pools) {
      await on(pool, () => chooseOn(subject.strategy, pool, options(subject, pool.open.length)));
    }
  },

  async 'works where nothing is labelled yet'(subject) {
    const pool = universe('30 samples, none labelled', { open: 30, classes: 3, labelled: 0 });
    await on(pool, () => chooseOn(subject.strategy, pool, options(subject, 8)));
  },

  async 'reads nothing but what it needs'(subject) {
    const { strategy } = subject;
    const reads = watched(strategy);
    await on(TEN_CLASSES, () => chooseOn(reads.strategy, TEN_CLASSES, options(subject, 5)));
    for (const [name, need] of reads.names) {
      insist(
        (strategy.needs as readonly string[]).includes(need),
        `it reads ${name}, and its needs do not have ${JSON.stringify(need)}: it would be given null`,
      );
    }
  },

  async 'ends when nobody wants its answer any more'(subject) {
    const controller = new AbortController();
    const choosing = Promise.resolve(
      chooseOn(subject.strategy, TEN_CLASSES, options(subject, 5, { signal: controller.signal })),
    ).catch(() => {});
    controller.abort(new Error('nobody wants the answer any more'));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const impatience = new Promise<'waiting'>((resolve) => {
      timer = setTimeout(() => resolve('waiting'), subject.patience);
    });
    const ended = await Promise.race([choosing, impatience]);
    clearTimeout(timer);
    insist(ended !== 'waiting', `it had not ended ${subject.patience} ms after its signal was aborted`);
  },
};

/** Names the pool in what goes wrong on it. */
async function on(pool: Universe, run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) error.message = `${pool.title}: ${error.message}`;
    throw error;
  }
}

function insistEqual(one: Float64Array, other: Float64Array, problem: string): void {
  one.forEach((value, i) => {
    insist(Object.is(value, other[i]), `${problem}: ${value} and ${other[i]}`);
  });
}

function insistSame(one: FullSelection, other: FullSelection, problem: string): void {
  insist(JSON.stringify([...one.ordinals]) === JSON.stringify([...other.ordinals]), problem);
  insistEqual(one.scores, other.scores, problem);
}

/** Which need goes with each thing that can be read. */
const NEED_OF = new Map([
  ['probabilities', 'probabilities'],
  ['passes', 'passes'],
  ['embeddings', 'embeddings'],
  ['dimensions', 'embeddings'],
  ['labelled', 'labelled'],
  ['classCounts', 'classCounts'],
  ['cost', 'cost'],
]);

/** The same strategy, but what it reads is noted, and its arrays are compared afterwards. */
function watched(strategy: Strategy) {
  const names = new Map<string, string>();
  const kept: {
    readonly path: string;
    readonly array: ArrayLike<number>;
    readonly before: readonly number[];
  }[] = [];
  const watch = <T extends object>(given: T, path: string): T =>
    new Proxy(given, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        const name = `${path}.${String(key)}`;
        const need = NEED_OF.get(String(key));
        if (need !== undefined) names.set(name, need);
        for (const array of Array.isArray(value) ? value : [value]) {
          if (ArrayBuffer.isView(array)) keep(name, array as unknown as Float32Array);
        }
        if (String(key) === 'labelled' && value !== null) return watch(value as object, name);
        if (typeof value !== 'function' || String(key) !== 'only') return value;
        return (ordinals: Uint32Array) => watch(value.call(target, ordinals), 'pool.only()');
      },
    });
  const keep = (path: string, array: Float32Array) => {
    if (!kept.some((one) => one.array === array)) kept.push({ path, array, before: Array.from(array) });
  };
  return {
    names,
    strategy: (strategy.kind === 'score'
      ? {
          ...strategy,
          score: (rows, context) => strategy.score(watch(rows, 'rows'), watch(context, 'context')),
        }
      : {
          ...strategy,
          select: (pool, context) => strategy.select(watch(pool, 'pool'), watch(context, 'context')),
        }) as Strategy,
    insistUntouched() {
      for (const { path, array, before } of kept) {
        const place = before.findIndex((value, i) => !Object.is(value, array[i]));
        insist(place < 0, `it wrote to ${path}: ${before[place]} became ${array[place]}`);
      }
    },
  };
}
