import type { Role } from '../../src/domain/directory.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { access, authenticate, type ProjectAccess, tokenHash } from '../../src/service/access.ts';
import { Concord } from '../../src/service/concord.ts';
import { importPart } from '../../src/service/importing.ts';
import { addMember, admitOwner, createProject } from '../../src/service/members.ts';
import { openRound } from '../../src/service/rounds.ts';
import type { StrategyHost } from '../../src/strategies/host.ts';
import { MemoryStore } from '../support/memoryStore.ts';
import { StillWorld } from '../support/stillWorld.ts';

const OWNER_TOKEN = 'owner'.padEnd(40, '_');

/** Chooses the first of the pool: what strategies do is tried elsewhere, and takes workers. */
export const inOrder: Pick<StrategyHost, 'onChange' | 'check' | 'select' | 'close'> = {
  onChange: () => () => undefined,
  check: async () => ({ parameters: {}, needs: [] }),
  async select({ strategy, parameters, count, pool }) {
    const ordinals = pool.ordinals.slice(0, count);
    const scores = Float32Array.from(ordinals, (_, i) => 1 - i / 1_000);
    return {
      strategy,
      version: '1',
      asked: [],
      parameters,
      ordinals,
      scores,
      normalised: scores,
      random: new Uint8Array(ordinals.length),
      inclusionProbability: null,
      reasons: null,
      states: {},
    } as unknown as Awaited<ReturnType<StrategyHost['select']>>;
  },
  close: async () => undefined,
};

/** The service without GraphQL and HTTP, in a world that stands still, with one project. */
export async function openWorld(policy: PolicyChange = {}) {
  const store = new MemoryStore();
  const world = new StillWorld();
  const concord = new Concord(store, inOrder as StrategyHost, world);
  await admitOwner(concord, OWNER_TOKEN);
  const viewer = await authenticate(concord, OWNER_TOKEN);
  if (viewer === null) throw new Error('the owner is not let in');
  const { id } = await createProject(concord, viewer, {
    name: 'Project',
    labels: ['spam', 'ham'],
    scale: NOMINAL,
    guidelines: '',
    preset: 'ACTIVE_LEARNING',
    policy,
    seed: 1,
  });
  const owner = await access(concord, viewer, id);

  return {
    store,
    world,
    concord,
    project: id,
    owner,
    /** Somebody new in the project, with the token's hash. */
    async member(
      role: Role,
      { name = 'member', tokenDays = null as number | null } = {},
    ): Promise<ProjectAccess> {
      const { secret: token } = await addMember(concord, owner, { name, kind: 'PERSON', role, tokenDays });
      const known = await authenticate(concord, token);
      if (known === null) throw new Error(`${tokenHash(token)} is not known`);
      return access(concord, known, id);
    },
    importSamples: (count: number, part = 0) =>
      importPart(concord, owner, {
        importId: 'import',
        part,
        samples: Array.from({ length: count }, (_, i) => ({ key: `${part}-${i}`, data: { n: i } })),
      }),
    openRound: (size: number, deadline: number | null = null) =>
      openRound(
        concord,
        owner,
        { size, strategy: 'first', parameters: {}, seed: 1, deadline },
        new AbortController().signal,
      ),
    closeRound: (number: number) =>
      owner.live.execute('closeRound', { by: owner.viewer.member, number }, () => undefined),
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
