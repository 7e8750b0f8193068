/** Finding anything by its id. What does not exist (any more), and what is no id at all, is null. */
import type { App } from '../src/app/app.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'
import { decodeId, type NodeIds, type NodeName, nodeNames } from './ids.ts'
import { badUserInput } from './request-error.ts'

export const nodesPerQueryMax = 100

/** Records do not say their type, and are shared, so it is noted beside them when `node` finds one. */
const foundAs = new WeakMap<object, NodeName>()

export const Node = builder.interfaceRef<object>('Node').implement({
  fields: (t) => ({ id: t.id({ description: 'Opaque and permanent.' }) }),
  resolveType: (value) => foundAs.get(value),
})

builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, context) => find(id, context),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: `In the order of \`ids\`, at most ${nodesPerQueryMax}; null where there is nothing.`,
    args: { ids: t.arg.idList({ required: true }) },
    extensions: { listSizeMax: nodesPerQueryMax },
    resolve: (_, { ids }, context) => {
      if (ids.length > nodesPerQueryMax) throw badUserInput('ids', `at most ${nodesPerQueryMax} at once.`)
      return ids.map((id) => find(id, context))
    },
  }),
}))

const finders: { readonly [Name in NodeName]: (app: App, id: NodeIds[Name]) => Found | Promise<Found> } = {
  Job: (app, id) => app.job(id),
  Session: (app, id) => app.session(id),
  Model: (app, id) => app.modelById(id),
  ModelVersion: (app, id) => app.version(id),
  Component: (app, id) => app.component(id),
  Residency: (app, id) => app.residency(id),
  Device: (app, id) => app.deviceById(id),
  Worker: (app, id) => app.workers().find((worker) => worker.id === id) ?? null,
  Artifact: (app, id) => app.artifact(id),
  Allocation: (app, id) => app.allocation(id),
  Decision: (app, id) => app.decision(id),
}
type Found = object | null

async function find(id: string, context: RequestContext): Promise<Found> {
  for (const name of nodeNames) {
    const found = findAs(name, id, context.app)
    if (found) return found
  }
  return null
}

/** Null when `id` is not one of this noun. */
function findAs<Name extends NodeName>(name: Name, id: string, app: App): Promise<Found> | null {
  const number = decodeId(name, id)
  return number === null ? null : rememberType(name, finders[name](app, number))
}

async function rememberType(name: NodeName, finding: Found | Promise<Found>): Promise<Found> {
  const found = await finding
  if (found) foundAs.set(found, name)
  return found
}
