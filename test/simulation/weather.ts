import type { Dice } from './dice.ts';

/** How often what goes wrong, in one run. Chances are of one message; counts are of the whole run. */
export interface Rates {
  /** A request to the store never arrives. */
  readonly storeRequestLost: number;
  /** The store does what was asked, and the answer never comes. */
  readonly storeAnswerLost: number;
  /** The store refuses a request at once, having done nothing. */
  readonly storeRequestFails: number;
  /** An append arrives twice, the second time any time later. */
  readonly appendTwice: number;
  /** An append arrives when its sender has long given it up. */
  readonly appendLate: number;
  /** A message to or from the store takes long. */
  readonly storeSlow: number;
  /** A commit takes long to be synced. */
  readonly syncSlow: number;
  /** A node is not told of a commit that another has appended. */
  readonly hintLost: number;
  /** A node is told of no more commits at all, until it asks again. */
  readonly hintsEnd: number;
  /** A client's request never reaches the node. */
  readonly requestLost: number;
  /** The node does what was asked, and the answer never reaches the client. */
  readonly answerLost: number;
  /** A client's request reaches the node twice. */
  readonly requestTwice: number;
  /** A message between client and node takes long, so that later ones overtake it. */
  readonly networkSlow: number;
  /** A node's message to another never arrives. */
  readonly nodeRequestLost: number;
  /** The other node does what was asked, and its answer never arrives. */
  readonly nodeAnswerLost: number;
  /** A message between nodes takes long. */
  readonly nodeSlow: number;
  /** How long a stream's connection lasts on the average, in milliseconds. */
  readonly streamMs: number;
  /** Nodes that die, and come back with nothing but what the store has. */
  readonly deaths: number;
  /** Nodes that stand still for a while: everything comes late to them. */
  readonly stalls: number;
  /** Nodes whose clock jumps, forwards or backwards. */
  readonly clockJumps: number;
  /** Leases that are lost, or given to another node, while their holder is well. */
  readonly leasesStolen: number;
  /** Times when the store loses what it has not synced. */
  readonly storeFailures: number;
  /** Times when the store takes no more. */
  readonly storeFull: number;
  /** Snapshots that a node takes, of those it might: no trouble by itself, but others may take one as well. */
  readonly snapshots: number;
}

const CALM: Rates = {
  storeRequestLost: 0,
  storeAnswerLost: 0,
  storeRequestFails: 0,
  appendTwice: 0,
  appendLate: 0,
  storeSlow: 0,
  syncSlow: 0,
  hintLost: 0,
  hintsEnd: 0,
  requestLost: 0,
  answerLost: 0,
  requestTwice: 0,
  networkSlow: 0,
  nodeRequestLost: 0,
  nodeAnswerLost: 0,
  nodeSlow: 0,
  streamMs: Number.POSITIVE_INFINITY,
  deaths: 0,
  stalls: 0,
  clockJumps: 0,
  leasesStolen: 0,
  storeFailures: 0,
  storeFull: 0,
  snapshots: 0,
};

const ROUGH: Rates = {
  storeRequestLost: 0.04,
  storeAnswerLost: 0.06,
  storeRequestFails: 0.03,
  appendTwice: 0.15,
  appendLate: 0.05,
  storeSlow: 0.1,
  syncSlow: 0.1,
  hintLost: 0.2,
  hintsEnd: 0.02,
  requestLost: 0.05,
  answerLost: 0.08,
  requestTwice: 0.1,
  networkSlow: 0.15,
  nodeRequestLost: 0.05,
  nodeAnswerLost: 0.08,
  nodeSlow: 0.1,
  streamMs: 4_000,
  deaths: 3,
  stalls: 3,
  clockJumps: 3,
  leasesStolen: 4,
  storeFailures: 3,
  storeFull: 1,
  snapshots: 1,
};

/**
 * What goes wrong in a run. Each run has some kinds of trouble and is spared the others: where everything goes
 * wrong all the time, little is ever done (Groce et al. 2012, "Swarm testing").
 */
export class Weather {
  #rates: Rates;
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#rates = CALM;
  }

  get rates(): Rates {
    return this.#rates;
  }

  get isCalm(): boolean {
    return this.#rates === CALM;
  }

  /** Draws what will go wrong from now on. */
  turn(): void {
    const kept = Object.entries(ROUGH).filter(() => this.#dice.chance(0.5));
    this.#rates = { ...CALM, ...Object.fromEntries(kept) };
  }

  /** From now on nothing goes wrong, so that what was begun can come to its end. */
  calm(): void {
    this.#rates = CALM;
  }

  /** How long a message between a node and the store takes, in milliseconds. */
  storeDelay(dice: Dice): number {
    return dice.chance(this.#rates.storeSlow) ? dice.between(50, 1_500) : dice.between(0, 8);
  }

  /** How long it takes until a commit is synced, in milliseconds. */
  syncDelay(dice: Dice): number {
    return dice.chance(this.#rates.syncSlow) ? dice.between(50, 900) : dice.between(0, 6);
  }

  /** How long a message between two nodes takes, in milliseconds. */
  nodeDelay(dice: Dice): number {
    return dice.chance(this.#rates.nodeSlow) ? dice.between(50, 3_000) : dice.between(0, 4);
  }

  /** How long a message between a client and a node takes, in milliseconds. */
  networkDelay(dice: Dice): number {
    return dice.chance(this.#rates.networkSlow) ? dice.between(200, 4_000) : dice.between(1, 40);
  }

  /** How long a stream lasts until its connection breaks, in milliseconds. */
  streamLasts(dice: Dice): number {
    return this.#rates.streamMs * 2 * dice.fraction();
  }

  /** In words, for the story. */
  toString(): string {
    const kept = Object.entries(this.#rates).filter(([kind, rate]) => rate !== CALM[kind as keyof Rates]);
    return kept.length === 0 ? 'fair' : kept.map(([kind]) => kind).join(', ');
  }
}
