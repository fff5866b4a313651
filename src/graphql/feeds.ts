import { builder } from './builder.ts';
import { SHARED } from './sharing.ts';

/** What all feeds have in common. */

export const FEED_CURSOR = 'Give it as `after` to go on behind this.';

interface Reset {
  readonly item: { readonly kind: 'reset'; readonly reason: string; readonly cursor: string };
}

export const FeedResetType = builder.objectRef<Reset>('FeedReset').implement({
  extensions: SHARED,
  description: 'What lay behind your cursor is not kept any more. The feed goes on from here.',
  fields: (t) => ({
    reason: t.string({ description: 'Why.', resolve: ({ item }) => item.reason }),
    cursor: t.string({ description: FEED_CURSOR, resolve: ({ item }) => item.cursor }),
  }),
});
