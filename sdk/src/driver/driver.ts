import { type Client, createClient } from '../client/client.ts';
import { NotFoundError } from '../client/generated/errors.ts';
import type { CreateProjectInput, ErasureReason } from '../client/generated/schema.ts';
import type { Member } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import type { ClientOptions } from '../client/options.ts';
import { type DriverProject, driverProject } from './project.ts';

/** Opens and creates projects to drive. */
export interface Driver {
  /** Every operation of the service, for what the driver has no method for. */
  readonly client: Client;
  /** Creates a project; the token's member becomes its owner. Not repeated after a network error. */
  createProject(input: CreateProjectInput): Promise<DriverProject>;
  /**
   * A project by its id.
   * @throws {NotFoundError} there is none, or it is not yours to see
   */
  project(id: string): Promise<DriverProject>;
  /**
   * Erases a person for good: their name, what tokens and invitations say of them, and all by which they come in. What
   * they have done stays under their id, and every figure as it is.
   */
  erasePerson(
    member: { readonly id: string },
    why: { readonly reason: ErasureReason },
    options?: CallOptions,
  ): Promise<Member>;
  /** Ends every stream and closes the connection. */
  close(): void;
}

/**
 * Drives a Concord service.
 *
 * ```ts
 * const driver = connectDriver({ url: 'http://127.0.0.1:4000/graphql', token });
 * const project = await driver.createProject({ name: 'mail', labels: ['ham', 'spam'] });
 * await project.importSamples(mails, { importId: 'mails-2026-03' });
 * await project.publishPredictions({ model: 'bayes-1', keys, probabilities });
 * const round = await project.openRound({ size: 100, strategy: 'hybrid' });
 * await project.waitForRound(round);
 * for await (const { sample, label } of project.trainingSet()) …
 * ```
 *
 * @throws {TypeError} an option cannot be used
 */
export function connectDriver(options: ClientOptions): Driver {
  const client = createClient(options);
  return {
    client,
    async createProject(input) {
      return driverProject(client, await client.createProject(input));
    },
    async project(id) {
      const project = await client.project({ id });
      if (project === null) {
        throw new NotFoundError('There is no such project, or it is not yours to see.', { what: 'project' });
      }
      return driverProject(client, project);
    },
    erasePerson: ({ id: member }, { reason }, options) => client.erasePerson({ member, reason }, options),
    close: () => client.close(),
  };
}
