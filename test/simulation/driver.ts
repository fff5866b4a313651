import type { PolicyChange } from '../../src/domain/policy.ts';
import { importPart } from '../../src/service/importing.ts';
import { publishPredictions, uploadPredictions } from '../../src/service/predictions.ts';
import { openRound } from '../../src/service/rounds.ts';
import { issueToken, revokeTokens } from '../../src/service/tokens.ts';
import { roundView } from '../../src/service/views.ts';
import { Client } from './client.ts';
import { STRATEGY } from './strategies.ts';
import { LABELS, type Person, samplesOf, type World } from './world.ts';

/** Imports, publishes predictions, opens and closes rounds, changes the policy, revokes tokens. */
export class Driver extends Client {
  /** Whose tokens may be revoked. */
  readonly #others: readonly Person[];

  constructor(world: World, person: Person, others: readonly Person[], actions: number) {
    super(world, 'driver', person, actions);
    this.#others = others;
  }

  protected async act(): Promise<void> {
    const action = this.dice.weighted({
      open: 5,
      close: 1,
      import: 1.5,
      predict: 2,
      policy: 2,
      revoke: 0.7,
      wait: 3,
    });
    switch (action) {
      case 'open':
        return this.#open();
      case 'close':
        return this.#close();
      case 'import':
        return this.#import();
      case 'predict':
        return this.#predict();
      case 'policy':
        return this.#changePolicy();
      case 'revoke':
        return this.#revoke(this.dice.pick(this.#others));
      case 'wait':
        return this.world.scheduler.pause(this.dice.between(500, 4_000));
    }
  }

  /** Ends somebody's tokens when all else is quiet: their streams must end, though nothing else wakes them. */
  async farewell(): Promise<void> {
    if (this.dice.chance(0.5)) await this.#endTokens(this.dice.pick(this.#others));
  }

  async #open(): Promise<void> {
    const seed = this.world.mark();
    const size = this.dice.between(2, 10);
    const minutes = this.dice.chance(0.3) ? this.dice.between(3, 20) / 60 : null;
    const what = `opening of a round of ${size} by seed ${seed}`;
    const errand = this.errand(what, {
      isMine: (event) => event.type === 'roundOpened' && event.seed === seed,
    });
    const reply = await this.send(what, errand, {
      run: (access, concord) => {
        const deadline = minutes === null ? null : concord.environment.now() + minutes * 60_000;
        return openRound(
          concord,
          access,
          { size, strategy: STRATEGY, parameters: {}, seed, deadline },
          new AbortController().signal,
        );
      },
      sight: (seen) => ({
        seq: seen.seq,
        seen,
        look: (project) => {
          const round = project.rounds[seen.number - 1];
          return round && roundView(project, round);
        },
      }),
    });
    if (reply.kind === 'REFUSED' && reply.refusal.code === 'ROUND_OPEN' && this.dice.chance(0.2))
      await this.#close();
  }

  async #close(): Promise<void> {
    const number = this.dice.between(1, 4);
    const what = `closing of round ${number}`;
    await this.send(what, this.errand(what), {
      run: ({ live, viewer: { member: by } }) =>
        live.execute('closeRound', { by, number }, (project, round) => roundView(project, round)),
      sight: (seen) => ({
        seq: seen.seq,
        seen,
        look: (project) => {
          const round = project.rounds[number - 1];
          return round && roundView(project, round);
        },
      }),
    });
  }

  async #import(): Promise<void> {
    const importId = `import ${this.world.mark()}`;
    const samples = samplesOf(importId, this.dice.between(1, 6));
    const errand = this.errand(importId, {
      isOnce: true,
      isMine: (event) => event.type === 'samplesImported' && event.importId === importId,
    });
    await this.send(`${importId} of ${samples.length}`, errand, {
      run: (access, concord) => importPart(concord, access, { importId, part: 0, samples }),
    });
  }

  async #predict(): Promise<void> {
    const model = `model ${this.world.mark()}`;
    const errand = this.errand(model, {
      isMine: (event) => event.type === 'predictionsPublished' && event.model === model,
    });
    const classes = LABELS.length;
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    const rows = Float32Array.from({ length: numbers.length * classes }, () => this.dice.between(1, 20));
    for (let row = 0; row < numbers.length; row++) {
      const own = rows.subarray(row * classes, (row + 1) * classes);
      const sum = own.reduce((total, value) => total + value, 0);
      own.forEach((value, i) => {
        own[i] = value / sum;
      });
    }
    await this.send(`publishing of ${model}`, errand, {
      run: async (access, concord) => {
        const count = await access.live.read((project) => Math.min(project.samples.size, numbers.length));
        const bytes = new Uint8Array(rows.buffer, 0, count * classes * 4);
        const part = {
          rows: { numbers: numbers.slice(0, count) },
          classes,
          probabilities: bytes,
          passes: [],
        };
        const { receipt } = await uploadPredictions(concord, access, part);
        return publishPredictions(concord, access, { model, receipts: [receipt] });
      },
    });
  }

  async #changePolicy(): Promise<void> {
    const threshold = this.world.mark() / 1_000;
    const change: PolicyChange = {
      ...this.dice.pick<PolicyChange>([
        { assignmentMinutes: this.dice.pick([0.05, 0.1, 0.3]) },
        { skipLimit: this.dice.between(1, 3) },
        { overlap: this.dice.between(1, 3), overlapShare: 0.5 },
        { withoutRound: this.dice.pick(['POOL', 'WAIT']) },
        { paused: this.dice.chance(0.3) },
      ]),
      priority: { threshold },
    };
    const what = `change of policy ${threshold}`;
    const errand = this.errand(what, {
      isMine: (event) => event.type === 'policyChanged' && event.policy.priority.threshold === threshold,
    });
    await this.send(what, errand, {
      run: ({ live, viewer }) =>
        live.execute('changePolicy', { by: viewer.member, change }, (project, policy) => ({
          seq: project.seq,
          policy,
        })),
      sight: (seen) => ({
        seq: seen.seq,
        seen,
        look: ({ seq, policy }) => ({ seq, policy }),
      }),
    });
  }

  /** Ends somebody's tokens, and hands them a new one. */
  async #revoke(person: Person): Promise<void> {
    await this.#endTokens(person);
    const { member } = person;
    const what = `issuing of a token to ${person.name}`;
    const issued = await this.send(what, this.errand(what), {
      run: (access, concord) => issueToken(concord, access, { member, tokenDays: null }),
    });
    if (issued.kind !== 'DONE') return;
    person.token = issued.value.secret;
    this.world.tokens.push(issued.value.secret);
  }

  async #endTokens({ name, member }: Person): Promise<void> {
    const what = `revoking of ${name}'s tokens`;
    await this.send(what, this.errand(what), {
      run: (access, concord) => revokeTokens(concord, access, member),
    });
  }
}
