import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './project.ts';
import './members.ts';
import './erasure.ts';
import './tokens.ts';
import './invitations.ts';
import './samples.ts';
import './exporting.ts';
import './predictions.ts';
import './rounds.ts';
import './replay.ts';
import './queue.ts';
import './people.ts';
import './presence.ts';
import './agreement.ts';
import './suggestions.ts';
import './audit.ts';
import './prioritized.ts';
import './activity.ts';
import './trainingSet.ts';
import './consensusEstimate.ts';
import './adjudication.ts';
import './gold.ts';
import './report.ts';
import './strategies.ts';

/** The API. It is printed to schema/schema.graphql, which is reviewed in every change. */
export const schema: GraphQLSchema = builder.toSchema();
