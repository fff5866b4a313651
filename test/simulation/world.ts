import type { Role } from '../../src/domain/directory.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { REPEAT_GAP } from '../../src/domain/nextSample.ts';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { access, authenticate, type ProjectAccess } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import { importPart } from '../../src/service/importing.ts';
import { addMember, admitOwner, createProject } from '../../src/service/members.ts';
import { claim, submit } from '../../src/service/queue.ts';
import { Backend } from './backend.ts';
import { Dice } from './dice.ts';
import { Judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { Unauthenticated } from './network.ts';
import { SimulatedNode } from './node.ts';
import type { Bug } from './planted.ts';
import { Scheduler } from './scheduler.ts';
import { Story, short } from './story.ts';
import { Weather } from './weather.ts';

export const LABELS = ['cat', 'dog', 'owl'] as const;
export type Label = (typeof LABELS)[number];

const OWNER_TOKEN = 'owner'.padEnd(40, '_');

/** Somebody with a token, which may be revoked and replaced. */
export interface Person {
  readonly name: string;
  readonly member: string;
  token: string;
}

/** Everything that one run consists of, but for what its clients do. */
export class World {
  readonly dice: Dice;
  readonly scheduler: Scheduler;
  readonly story: Story;
  readonly weather: Weather;
  readonly backend: Backend;
  readonly ledger: Ledger;
  readonly nodes: readonly SimulatedNode[];
  /** Whether nodes have leases and ask each other; else each decides by itself. */
  readonly hasLeases: boolean;
  /** Chooses what becomes of messages between nodes. */
  readonly linkDice: Dice;
  /** Every token that was handed out. */
  readonly tokens: string[] = [];
  readonly bug: Bug | null;
  /** Every assignment that somebody was told of, and whose it is. */
  readonly hands = new Map<string, string>();
  projectId = '';
  /** Nodes look at nothing by themselves any more. */
  isEnding = false;
  #marks = 0;

  constructor(seed: number, bug: Bug | null) {
    this.bug = bug;
    this.dice = new Dice(seed);
    this.scheduler = new Scheduler(this.dice.fork('scheduler'));
    this.story = new Story(() => this.scheduler.now);
    this.weather = new Weather(this.dice.fork('weather'));
    this.backend = new (bug?.backend ?? Backend)(this.scheduler, this.weather, this.dice.fork('backend'));
    const judge = new Judge(this.backend.chunks, this.story);
    this.backend.onSynced = (journal, commit) => judge.judge(journal, commit);
    this.ledger = new Ledger(() => this.backend.synced(this.projectId).length);
    this.linkDice = this.dice.fork('link');
    this.hasLeases = this.linkDice.chance(0.7);
    const count = this.dice.between(2, 3);
    this.nodes = Array.from({ length: count }, (_, i) => new SimulatedNode(`node ${'ABC'[i]}`, this));
  }

  /** A number that nothing else in this run has: it tells in the journal which command an event comes from. */
  mark(): number {
    return ++this.#marks;
  }

  /** A node to turn to: mostly the usual one, but not if it is known to be down. */
  nodeFor(dice: Dice, usual: SimulatedNode): SimulatedNode {
    return usual.isUp && dice.chance(0.7) ? usual : dice.pick(this.nodes);
  }

  /** Lets somebody in at a node, as the service does for each request. */
  async enter(concord: Concord, { token }: Pick<Person, 'token'>): Promise<ProjectAccess> {
    const viewer = await authenticate(concord, token);
    if (viewer === null) throw new Unauthenticated();
    return access(concord, viewer, this.projectId);
  }

  /** Somebody has answered so much already that they can be asked the same again: a run is too short for that. */
  async #headStart(concord: Concord, person: Person): Promise<void> {
    const access = await this.enter(concord, person);
    const dice = this.dice.fork('head start');
    for (let answers = 0; answers < REPEAT_GAP + 3; answers++) {
      const [assignment] = (await claim(concord, access, 1)).held;
      if (assignment === undefined) return;
      const label = dice.pick(LABELS);
      await submit(concord, access, { assignment: assignment.id, label, milliseconds: 900, hold: null });
    }
  }

  /** Sets up the project on the first node, in fair weather: a policy, samples, and people. */
  async found(
    annotators: number,
    readers: number,
  ): Promise<{ owner: Person; annotators: Person[]; readers: Person[] }> {
    const [first, ...others] = this.nodes;
    if (first === undefined) throw new Error('a world has nodes');
    first.start();
    const { concord } = first;
    await admitOwner(concord, OWNER_TOKEN);
    const viewer = await authenticate(concord, OWNER_TOKEN);
    if (viewer === null) throw new Unauthenticated();
    const policy = drawPolicy(this.dice.fork('policy'));
    const { id } = await createProject(concord, viewer, {
      name: 'Project',
      labels: LABELS,
      scale: NOMINAL,
      guidelines: '',
      preset: 'ACTIVE_LEARNING',
      policy,
      seed: this.dice.uint32(),
    });
    this.projectId = id;
    const owner = { name: 'driver', member: viewer.member, token: OWNER_TOKEN };
    const access = await this.enter(concord, owner);
    const member = async (name: string, role: Role): Promise<Person> => {
      const added = await addMember(concord, access, { name, kind: 'PERSON', role, tokenDays: null });
      this.story.tell('everybody', `${name} is member ${short(added.member)}`);
      this.tokens.push(added.secret);
      return { name, member: added.member, token: added.secret };
    };
    const names = ['ann', 'bob', 'cy', 'dee'].slice(0, annotators);
    const [people, watchers] = await Promise.all([
      Promise.all(names.map((name) => member(name, 'ANNOTATOR'))),
      Promise.all(Array.from({ length: readers }, (_, i) => member(`reader ${i + 1}`, 'DRIVER'))),
      importPart(concord, access, {
        importId: 'first',
        part: 0,
        samples: samplesOf(
          'first',
          policy.repeatShare ? this.dice.between(32, 40) : this.dice.between(8, 30),
        ),
      }),
    ]);
    const [veteran] = people;
    if (policy.repeatShare && veteran !== undefined) await this.#headStart(concord, veteran);
    for (const node of others) node.start();
    return { owner, annotators: people, readers: watchers };
  }
}

/** New samples, with keys that no other import has. One in five is gold. */
export function samplesOf(importId: string, count: number) {
  return Array.from({ length: count }, (_, i) => ({
    key: `${importId}-${i}`,
    data: { n: i },
    groundTruth: i % 5 === 4 ? LABELS[0] : null,
  }));
}

/** How a run's project labels: short times, so that they run out. */
function drawPolicy(dice: Dice): PolicyChange {
  return {
    overlap: dice.between(2, 3),
    overlapShare: dice.pick([0, 0.3, 1]),
    skipLimit: dice.between(1, 3),
    assignmentMinutes: dice.pick([0.06, 0.15, 0.3, 1]),
    graceSeconds: dice.between(0, 4),
    workSession: dice.chance(0.2) ? { minutes: 0.3, breakMinutes: 0.05 } : { minutes: 0, breakMinutes: 0 },
    withoutRound: dice.pick(['POOL', 'POOL', 'WAIT']),
    autoAcceptThreshold: dice.pick([null, 0.8]),
    audit: { share: 0.5, cap: 10, errorLimit: 0.3 },
    suggestions: dice.pick(['SHOWN', 'HIDDEN', 'AFTER_FIRST_ANSWER']),
    gold: { share: dice.pick([0, 0.1, 0.1]), limit: dice.pick([0.3, 0.9]), reserve: 2 },
    // Seldom: it takes a project that is some way in, and those are slow.
    repeatShare: dice.chance(0.1) ? 0.2 : 0,
  };
}
