import {
  type DocumentNode,
  execute,
  type FormattedExecutionResult,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Role } from '../domain/directory.ts';
import { Refusal } from '../domain/refusals.ts';
import { parseId } from '../graphql/ids.ts';
import { schema as ownSchema } from '../graphql/schema.ts';
import { SharedContext, type Sharing, sharingOf } from '../graphql/sharing.ts';
import { roleOf, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Answers } from './answers.ts';
import { type Faults, shown } from './faults.ts';
import { Frame } from './frame.ts';
import { Group } from './group.ts';
import { GroupReader } from './groupReader.ts';
import type { Outbox } from './outbox.ts';

/** Frames that are kept for those who come to the same place a little later: how many, and their bytes. */
const FRAMES = 500;
const FRAME_BYTES = 8 * 1024 * 1024;

/** What is subscribed to: an operation of a document that can be run. */
export interface Subscribed {
  readonly document: DocumentNode;
  /** The document's text. */
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>> | null;
}

export interface GroupsOptions {
  readonly concord: Concord;
  readonly answers: Answers;
  readonly faults: Faults;
  /** Default: the service's own. */
  readonly schema?: GraphQLSchema;
}

/**
 * Serves one change to many for the price of one. Subscriptions with the same document, operation name, variables
 * and authorisation (project and role), all of whose fields are marked as shared, form a {@link Group}.
 */
export class Groups {
  readonly #concord: Concord;
  readonly #answers: Answers;
  readonly #faults: Faults;
  readonly #schema: GraphQLSchema;
  readonly #groups = new Map<string, Group>();
  readonly #sharings = new WeakMap<DocumentNode, Map<string, Sharing | null>>();
  readonly #frames = new LRUCache<string, Frame>({
    max: FRAMES,
    maxSize: FRAME_BYTES,
    sizeCalculation: ({ size }) => size,
  });
  #opened = 0;

  constructor({ concord, answers, faults, schema = ownSchema }: GroupsOptions) {
    this.#concord = concord;
    this.#answers = answers;
    this.#faults = faults;
    this.#schema = schema;
  }

  /** How many there are: after everybody has gone, 0. */
  get size(): number {
    return this.#groups.size;
  }

  /**
   * A place in a group for a subscriber, who begins to read when it is iterated, and must be returned otherwise.
   * @param lastRead the cursor of what they have read, if it is not in the operation's own `after`
   * @returns null: the operation cannot be shared, or is not for this viewer, and must be run by itself
   * @throws {Refusal} only with `lastRead`: BAD_CURSOR, or the store is in trouble
   */
  async join(
    subscribed: Subscribed,
    viewer: Viewer,
    outbox: Outbox,
    { id, lastRead = null }: { readonly id: string; readonly lastRead?: string | null },
  ): Promise<GroupReader | null> {
    const sharing = this.#sharingOf(subscribed);
    if (sharing === null) return null;
    const { coerced } = getVariableValues(
      this.#schema,
      sharing.operation.variableDefinitions ?? [],
      subscribed.variables ?? {},
    );
    if (coerced === undefined) return null;
    try {
      const args = getArgumentValues(sharing.field, sharing.node, coerced);
      const [project = ''] = parseId(String(args['project']), 'Project');
      const { role, seq } = await this.#concord.directory.read((directory) => ({
        role: roleOf(this.#concord, directory, viewer, project),
        seq: directory.seq,
      }));
      if (role === undefined || sharing.stream.allowed?.includes(role) === false) return null;
      const group = this.#groupOf(subscribed, sharing, coerced, project, role);
      const reader = new GroupReader(group, outbox, viewer, id);
      group.admit(reader, viewer, seq);
      try {
        const after = (args['after'] as string | null | undefined) ?? null;
        reader.place = await group.source.start(lastRead ?? after);
      } catch (error) {
        reader.end();
        throw error;
      }
      return reader;
    } catch (error) {
      // It is told by whoever runs it by itself, who does not know of `lastRead`.
      if (error instanceof Refusal && lastRead === null) return null;
      throw error;
    }
  }

  #sharingOf({ document, operationName }: Subscribed): Sharing | null {
    let sharings = this.#sharings.get(document);
    if (sharings === undefined) {
      sharings = new Map();
      this.#sharings.set(document, sharings);
    }
    let sharing = sharings.get(operationName ?? '');
    if (sharing === undefined) {
      sharing = sharingOf(this.#schema, document, operationName);
      if (sharing !== null) sharings.set(operationName ?? '', sharing);
    }
    return sharing;
  }

  #groupOf(
    { document, query, operationName, variables }: Subscribed,
    { stream, variables: dependent }: Sharing,
    coerced: Readonly<Record<string, unknown>>,
    project: string,
    role: Role,
  ): Group {
    const relevant = Object.entries(coerced)
      .filter(([name]) => dependent.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([project, role, operationName, relevant, query]);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const live = this.#concord.project(project);
    const serial = ++this.#opened;
    const rendering = new Map<string, Promise<Frame>>();
    const source = stream.open(this.#concord, { live, role });
    const group = new Group({
      concord: this.#concord,
      live,
      role,
      source,
      frameOf: ({ key: step, event, place }) => {
        const name = `${serial} ${step}`;
        const done = this.#frames.get(name);
        if (done !== undefined) return Promise.resolve(done);
        let frame = rendering.get(name);
        if (frame === undefined) {
          frame = this.#render({ document, operationName, variables }, event)
            .then((result) => {
              // A feed's places are its cursors.
              const made = new Frame(result, source.kind === 'feed' ? String(place) : null);
              // What went wrong may go well for the next.
              if (result.errors === undefined) this.#frames.set(name, made);
              return made;
            })
            .finally(() => rendering.delete(name));
          rendering.set(name, frame);
        }
        return frame;
      },
      publicError: (error) => this.#faults.publicError(error),
      onEmpty: () => {
        this.#groups.delete(key);
        for (const name of this.#frames.keys()) if (name.startsWith(`${serial} `)) this.#frames.delete(name);
      },
    });
    this.#groups.set(key, group);
    return group;
  }

  async #render(
    { document, operationName, variables }: Omit<Subscribed, 'query'>,
    rootValue: unknown,
  ): Promise<FormattedExecutionResult> {
    const answer = this.#answers.begin(null);
    try {
      const { data = null, errors } = await execute({
        schema: this.#schema,
        document,
        operationName,
        variableValues: variables,
        rootValue,
        contextValue: new SharedContext(this.#concord, answer),
      });
      if (errors === undefined) return { data };
      return { data, errors: errors.map((error) => shown(this.#faults.publicError(error))) };
    } finally {
      answer.end();
    }
  }
}
