import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLID, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Context, viewerOf } from '../../src/graphql/builder.ts';
import { globalId } from '../../src/graphql/ids.ts';
import { SHARED, type SharedStream } from '../../src/graphql/sharing.ts';
import { Answers } from '../../src/http/answers.ts';
import { Faults } from '../../src/http/faults.ts';
import { Groups } from '../../src/http/groups.ts';
import { Deliveries, Outbox } from '../../src/http/outbox.ts';
import { SocketLine } from '../../src/http/socketLine.ts';
import type { Audience, ProjectAccess } from '../../src/service/access.ts';
import { stateSource } from '../../src/service/source.ts';
import { openWorld, type World } from '../service/world.ts';

const stream: SharedStream<Audience> = {
  open: (_, audience) => stateSource({ look: async () => audience, same: () => true, pauseMs: 0 }),
};

/** A type whose author has marked as shared what is not: each field would tell one viewer of another. */
const Secret = new GraphQLObjectType<Audience, Context>({
  name: 'Secret',
  extensions: SHARED,
  fields: {
    plain: { type: GraphQLString, resolve: ({ role }) => role },
    byContext: { type: GraphQLString, resolve: (_, __, context) => viewerOf(context).member },
    byToken: { type: GraphQLString, resolve: (_, __, { viewer }) => viewer?.token },
    byAccess: { type: GraphQLString, resolve: (access) => (access as ProjectAccess).viewer.member },
    byEverything: {
      type: GraphQLString,
      resolve: (_, __, context) => JSON.stringify(Object.values(context.answer)),
    },
  },
});

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { nothing: { type: GraphQLString } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      secret: {
        type: Secret,
        args: { project: { type: new GraphQLNonNull(GraphQLID) } },
        extensions: { ...SHARED, stream },
        resolve: (audience) => audience,
      },
    },
  }),
});

describe('a field that is wrongly marked as shared', () => {
  let at: World;
  let log: string[];
  let groups: Groups;
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const outboxes: Outbox[] = [];

  beforeEach(async () => {
    at = await openWorld();
    log = [];
    const faults = new Faults(pino({}, { write: (line: string) => void log.push(line) }));
    groups = new Groups({ concord: at.concord, answers: new Answers(at.concord), faults, schema });
    const deliveries = new Deliveries();
    http.on('upgrade', (request, stream, head) =>
      sockets.handleUpgrade(request, stream, head, (socket) =>
        outboxes.push(new Outbox(new SocketLine(socket, stream), deliveries)),
      ),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    for (const client of sockets.clients) client.terminate();
    http.close();
  });

  it('tells nobody of anybody: a resolver that asks for the viewer fails, masked, and what else was asked comes', async () => {
    const members = [await at.member('ANNOTATOR'), await at.member('ANNOTATOR')];
    const query =
      'subscription ($p: ID!) { secret(project: $p) { plain byContext byToken byAccess byEverything } }';
    const subscribed = {
      document: parse(query),
      query,
      operationName: null,
      variables: { p: globalId('Project', at.project) },
    };
    const pushes = [];
    for (const [i, { viewer }] of members.entries()) {
      const { port } = http.address() as AddressInfo;
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      await new Promise((resolve) => client.once('open', resolve));
      const push = new Promise<string>((resolve) => client.once('message', (data) => resolve(String(data))));
      const reader = await groups.join(subscribed, viewer, outboxes[i] as Outbox, { id: `${i}` });
      void reader?.next();
      pushes.push(await push);
    }
    expect(groups.size).toBe(1);
    for (const push of pushes) {
      const { payload } = JSON.parse(push);
      expect(payload.data.secret).toMatchObject({
        plain: 'ANNOTATOR',
        byContext: null,
        byToken: null,
        byAccess: null,
      });
      expect(payload.errors).toHaveLength(3);
      for (const { extensions } of payload.errors) expect(extensions.code).toBe('INTERNAL_SERVER_ERROR');
      for (const { viewer } of [...members, at.owner]) {
        expect(push).not.toContain(viewer.member);
        expect(push).not.toContain(viewer.token);
      }
    }
    expect(log.join()).toContain('has an audience and no viewer');
  });
});
