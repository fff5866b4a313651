import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../support/service.ts';

/** The reference suite of GraphQL over HTTP. Each audit must answer ok: a warning is a failure here. */
describe('GraphQL over HTTP', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const audits = serverAudits({ url: () => `${service.url}/graphql`, fetchFn: fetch });

  it('is audited in full', () => {
    expect(audits.length).toBeGreaterThanOrEqual(61);
  });

  for (const audit of audits) {
    it(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      const { status } = result;
      expect(status === 'ok' ? status : `${status}: ${result.reason}`).toBe('ok');
    });
  }
});
