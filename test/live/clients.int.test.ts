import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import type { ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../http/waiting.ts';
import { addMember, createProject, importSamples, mutate, type Person } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents } from '../support/streams.ts';

const PROGRESS = 'subscription Progress($project: ID!) { progress(project: $project) { samples } }';
/** Each reader has its own. */
const QUEUE = 'subscription Queue($project: ID!) { queue(project: $project) { answers } }';

interface Progress {
  readonly progress: { readonly samples: number };
}

/** What a program does with the client of its choice: follows a state, sees it change, and leaves. */
describe('a subscription, as it is run by', () => {
  let service: Service;
  let project: string;
  let anna: Person;
  let samples = 0;

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service);
    anna = await addMember(service, project, 'ANNOTATOR');
  });
  afterAll(() => service.close());

  const change = () =>
    importSamples(service, project, [{ key: `${samples}`, data: samples }], { part: samples++ });
  const gone = () => until('nobody follows anything', () => service.concord.hub.size === 0);

  function socketClient(token = anna.token) {
    return createClient({
      url: `${service.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
    });
  }

  /** Collects what is pushed; resolves with it when it is enough. */
  async function follows(
    subscribe: (push: (data: Progress) => void) => { readonly unsubscribe: () => void },
  ): Promise<void> {
    const seen: number[] = [];
    const subscription = subscribe(({ progress }) => seen.push(progress.samples));
    const before = samples;
    await until('the state as it is', () => seen.at(-1) === before);
    await change();
    await until('the change', () => seen.at(-1) === before + 1);
    subscription.unsubscribe();
    await gone();
  }

  it('the reference client', async () => {
    const client = socketClient();
    await follows((push) => ({
      unsubscribe: client.subscribe<Progress>(
        { query: PROGRESS, variables: { project } },
        { next: ({ data }) => data && push(data), error: () => undefined, complete: () => undefined },
      ),
    }));
    await client.dispose();
  });

  it('Apollo Client', async () => {
    const socket = socketClient();
    const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
    await follows((push) =>
      client
        .subscribe<Progress>({ query: gql(PROGRESS), variables: { project } })
        .subscribe(({ data }) => data && push(data)),
    );
    client.stop();
    await socket.dispose();
  });

  it('Apollo Client, with queries over HTTP beside it', async () => {
    const client = new ApolloClient({
      link: new HttpLink({
        uri: `${service.url}/graphql`,
        headers: { authorization: `Bearer ${anna.token}` },
      }),
      cache: new InMemoryCache(),
    });
    const { data } = await client.query<{ project: { progress: { samples: number } } }>({
      query: gql('query ($id: ID!) { project(id: $id) { id progress { samples } } }'),
      variables: { id: project },
    });
    expect(data?.project.progress.samples).toBe(samples);
    client.stop();
  });

  it('urql', async () => {
    const socket = socketClient();
    const client = new UrqlClient({
      url: `${service.url}/graphql`,
      preferGetMethod: false,
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables = {} }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query, variables },
                {
                  ...sink,
                  next: ({ data = null, ...rest }) => sink.next({ ...rest, data } as ExecutionResult),
                },
              ),
            }),
          }),
        }),
      ],
    });
    await follows((push) =>
      client.subscription<Progress>(PROGRESS, { project }).subscribe(({ data }) => data && push(data)),
    );
    await socket.dispose();
  });

  it('several of them on one connection: what is shared and what is one’s own', async () => {
    const client = socketClient();
    const [progress, queue] = [PROGRESS, QUEUE].map((query) =>
      client.iterate({ query, variables: { project } }),
    );
    expect((await progress?.next())?.value.data.progress.samples).toBe(samples);
    expect((await queue?.next())?.value.data.queue.answers).toBe(0);
    await change();
    expect((await progress?.next())?.value.data.progress.samples).toBe(samples);
    await progress?.return?.();
    await queue?.return?.();
    await client.dispose();
    await gone();
  });

  describe('whoever cannot open a WebSocket, over server-sent events,', () => {
    it('the same streams', async () => {
      const reader = overEvents(service, anna.token, PROGRESS, { project });
      expect((await reader.next())?.data).toEqual({ progress: { samples } });
      await change();
      expect((await reader.next())?.data).toEqual({ progress: { samples } });
      await reader.close();
      await gone();
    });

    it('until the token is revoked', async () => {
      const ben = await addMember(service, project, 'ANNOTATOR');
      const reader = overEvents(service, ben.token, QUEUE, { project });
      await reader.next();
      await mutate(service, service.ownerToken, 'revokeTokens', { project, member: ben.id });
      // Broken off, so that whoever reads comes back with another.
      await expect(reader.next()).rejects.toThrow(TypeError);
      await gone();
    });
  });
});
