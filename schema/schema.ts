/** The executable schema: every noun adds its types and fields to the builder. */
import './scalars.ts'
import './errors.ts'
import './node.ts'
import './device.ts'
import './worker.ts'
import './model.ts'
import './models.ts'
import './model-version.ts'
import './component.ts'
import './residency.ts'
import './allocation.ts'
import './allocations.ts'
import './decision.ts'
import './decision-list.ts'
import './register-model.ts'
import './load-model.ts'
import './pin-model.ts'
import './model-events.ts'
import './session.ts'
import './open-session.ts'
import './job.ts'
import './jobs.ts'
import './job-event-kinds.ts'
import './submit-job.ts'
import './cancel-and-retry.ts'
import './pause-and-resume.ts'
import './job-subscriptions.ts'
import './queue.ts'
import './artifact.ts'
import './server.ts'
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { builder } from './builder.ts'

export const schema: GraphQLSchema = builder.toSchema({ sortSchema: false })

/** The text of schema.graphql. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}
