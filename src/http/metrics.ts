import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Concord } from '../service/concord.ts';
import { DIRECTORY_JOURNAL } from '../service/directoryKind.ts';
import type { Observer } from '../service/observer.ts';
import type { Faults } from './faults.ts';
import { whoShows } from './sharedSecret.ts';

/** Who is answered at /metrics: who shows a token, or with null whoever asks from this machine. */
export interface MetricsOptions {
  readonly token: string | null;
}

/** What is looked at when somebody asks. */
export interface Scraped {
  readonly concord: Concord;
  readonly faults: Faults;
  /** WebSocket connections that are open, and what is read together on them. */
  readonly connections: () => number;
  readonly groups: () => number;
}

/**
 * What the service does, in Prometheus' format. No label names a project, a member or anything else of which there may be
 * many: commands, refusals and states are closed lists.
 */
export class Metrics implements Observer {
  readonly #registry = new Registry();
  readonly #showsToken: ((headers: IncomingHttpHeaders) => boolean) | null;
  readonly #commands: Counter<'command' | 'outcome'>;
  readonly #refusals: Counter<'code'>;
  readonly #commitEvents: Histogram<'journal'>;
  readonly #commitSeconds: Histogram<'journal'>;
  readonly #failedCommits: Counter<'journal'>;
  readonly #fencesLost: Counter;
  readonly #limited: Counter<'limit'>;
  readonly #dropped: Counter;

  constructor({ token }: MetricsOptions) {
    this.#showsToken = token === null ? null : whoShows(token);
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#commands = new Counter({
      name: 'concord_commands_total',
      help: 'Commands decided on this node, by what they came to.',
      labelNames: ['command', 'outcome'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'concord_refusals_total',
      help: 'Mutations refused, by the code of docs/errors.md.',
      labelNames: ['code'],
      registers,
    });
    this.#commitEvents = new Histogram({
      name: 'concord_commit_events',
      help: 'Events in a commit: how many commands have shared it, roughly.',
      labelNames: ['journal'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 4_000],
      registers,
    });
    this.#commitSeconds = new Histogram({
      name: 'concord_commit_seconds',
      help: 'How long a commit took to be synced, tries included.',
      labelNames: ['journal'],
      buckets: [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    });
    this.#failedCommits = new Counter({
      name: 'concord_commits_failed_total',
      help: 'Commits that were not synced: the store was away or full, or another node was first.',
      labelNames: ['journal'],
      registers,
    });
    this.#fencesLost = new Counter({
      name: 'concord_fences_lost_total',
      help: 'Commits for which another node had appended first.',
      registers,
    });
    this.#limited = new Counter({
      name: 'concord_limited_total',
      help: 'Requests and connections turned away by a limit.',
      labelNames: ['limit'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'concord_subscribers_dropped_total',
      help: 'Connections closed because their client did not read.',
      registers,
    });
  }

  /** What can be had when asked for, from the parts of a running server. */
  watch({ concord, faults, connections, groups }: Scraped): void {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, look: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(look());
        },
      });
    gauge('concord_connections', 'WebSocket connections that are open.', connections);
    gauge(
      'concord_subscriptions',
      'Streams that are read by themselves, and groups that are read together.',
      () => concord.hub.size,
    );
    gauge('concord_subscription_groups', 'Groups of subscribers whose streams are shared.', groups);
    gauge('concord_projects_loaded', 'Projects whose state is in memory.', () => concord.loadedProjects);
    new Counter({
      name: 'concord_changes_coalesced_total',
      help: 'Changes of which a stream, or a group, was told together with a later one.',
      registers,
      collect() {
        this.reset();
        this.inc(concord.hub.coalesced);
      },
    });
    if (concord.cluster !== null) {
      const { counts } = concord.cluster;
      new Counter({
        name: 'concord_forwarded_total',
        help: 'Commands between nodes: sent to the node that decides, received from others, or decided here by the fence alone because that node could not be reached.',
        labelNames: ['how'],
        registers,
        collect() {
          this.reset();
          this.inc({ how: 'sent' }, counts.forwarded);
          this.inc({ how: 'received' }, counts.received);
          this.inc({ how: 'unleased' }, counts.unleased);
        },
      });
    }
    new Counter({
      name: 'concord_faults_total',
      help: 'Faults of the service: each is in the log.',
      registers,
      collect() {
        this.reset();
        this.inc(faults.count);
      },
    });
    new Gauge({
      name: 'concord_samples',
      help: 'Samples of the loaded projects, by state: unlabelled, labelled; and of those, in an open round and not settled.',
      labelNames: ['state'],
      registers,
      async collect() {
        for (const [state, count] of Object.entries(await concord.depths())) this.set({ state }, count);
      },
    });
  }

  command(command: string, outcome: 'DONE' | 'REFUSED' | 'FAILED'): void {
    this.#commands.inc({ command, outcome });
  }

  refusal(code: string): void {
    this.#refusals.inc({ code });
  }

  commit(journal: string, events: number): (isSynced: boolean) => void {
    const labels = { journal: journal === DIRECTORY_JOURNAL ? 'directory' : 'project' };
    const since = performance.now();
    return (isSynced) => {
      if (!isSynced) return this.#failedCommits.inc(labels);
      this.#commitEvents.observe(labels, events);
      this.#commitSeconds.observe(labels, (performance.now() - since) / 1_000);
    };
  }

  fenceLost(): void {
    this.#fencesLost.inc();
  }

  /** Somebody was turned away by a limit. */
  limited(limit: string): void {
    this.#limited.inc({ limit });
  }

  /** A connection was closed because its client did not read. */
  dropped(): void {
    this.#dropped.inc();
  }

  /** Whether this request may see the figures. */
  isAllowed({ headers, socket }: IncomingMessage): boolean {
    if (this.#showsToken !== null) return this.#showsToken(headers);
    // What a balancer on this machine passes on comes from elsewhere.
    const isPassedOn = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in headers);
    return !isPassedOn && isLoopback(socket.remoteAddress ?? '');
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}
