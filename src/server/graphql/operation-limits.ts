/**
 * How deep and how costly an operation may be, decided from its text alone, so that the verdict can be remembered with the document.
 * Cost counts fields, those that may bring many bytes by their weight, multiplied by the sizes of the lists they stand in: a page counts what it asks for, or all it may hold when a
 * variable says how many. It is an upper bound on the work, not a prediction of it.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { pageSizeDefault, pageSizeMax } from '../../../schema/page-size.ts'

export interface OperationLimits {
  readonly tokenCountMax: number
  readonly depthMax: number
  readonly costMax: number
}

/** Devices, components, workers: lists without pages are short. */
const plainListSize = 10

/** Null when every operation of the document is within the limits. */
export function beyondLimits(
  limits: OperationLimits,
  schema: GraphQLSchema,
  document: DocumentNode,
): GraphQLError | null {
  const meter = new Meter(schema, document, limits.depthMax)
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const { depth, cost } = meter.measure(definition)
    if (depth > limits.depthMax) return tooMuch(definition, `nested more than ${limits.depthMax} levels deep`)
    if (cost > limits.costMax) return tooMuch(definition, `of cost ${Math.round(cost)}, above ${limits.costMax}`)
  }
  return null
}

function tooMuch(operation: OperationDefinitionNode, how: string): GraphQLError {
  return new GraphQLError(`This operation is ${how}, which is the limit. Ask for less at once.`, { nodes: operation })
}

interface Extent {
  readonly depth: number
  readonly cost: number
}
const nothing: Extent = { depth: 0, cost: 0 }

class Meter {
  readonly #schema: GraphQLSchema
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #depthMax: number
  /** Fragments are measured once; spread a hundred times, they would otherwise be walked exponentially often. */
  readonly #measured = new Map<string, Extent>()

  constructor(schema: GraphQLSchema, document: DocumentNode, depthMax: number) {
    const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
    this.#schema = schema
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
    this.#depthMax = depthMax
  }

  measure({ operation, selectionSet }: OperationDefinitionNode): Extent {
    return this.#selections(selectionSet, this.#schema.getRootType(operation) ?? undefined, 0)
  }

  /** Siblings add up in cost; the deepest counts for depth. `above`: fields around this one; past the limit nobody looks further. */
  #selections(set: SelectionSetNode | undefined, parent: GraphQLCompositeType | undefined, above: number): Extent {
    if (!set) return nothing
    if (above > this.#depthMax) return { depth: 1, cost: 0 }
    let depth = 0
    let cost = 0
    for (const selection of set.selections) {
      const extent = this.#selection(selection, parent, above)
      depth = Math.max(depth, extent.depth)
      cost += extent.cost
    }
    return { depth, cost }
  }

  #selection(selection: SelectionNode, parent: GraphQLCompositeType | undefined, above: number): Extent {
    switch (selection.kind) {
      case Kind.FIELD:
        return this.#field(selection, parent, above)
      case Kind.INLINE_FRAGMENT: {
        const condition = selection.typeCondition
        return this.#selections(selection.selectionSet, condition ? this.#type(condition.name.value) : parent, above)
      }
      case Kind.FRAGMENT_SPREAD:
        return this.#fragment(selection.name.value)
    }
  }

  #field(node: FieldNode, parent: GraphQLCompositeType | undefined, above: number): Extent {
    const field = fieldOf(node.name.value, parent)
    const inner = field && getNamedType(field.type)
    const { depth, cost } = this.#selections(node.selectionSet, isCompositeType(inner) ? inner : undefined, above + 1)
    return { depth: depth + 1, cost: weightOf(field) + cost * (field ? sizeOf(field, node, parent) : 1) }
  }

  #fragment(name: string): Extent {
    const known = this.#measured.get(name)
    if (known) return known
    // Stands in while it is measured, so that a circle of fragments ends; validation names it.
    this.#measured.set(name, nothing)
    const fragment = this.#fragments.get(name)
    const extent = fragment
      ? this.#selections(fragment.selectionSet, this.#type(fragment.typeCondition.name.value), 0)
      : nothing
    this.#measured.set(name, extent)
    return extent
  }

  #type(name: string): GraphQLCompositeType | undefined {
    const type = this.#schema.getType(name)
    return isCompositeType(type) ? type : undefined
  }
}

function fieldOf(name: string, parent: GraphQLCompositeType | undefined): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
}

function weightOf(field: GraphQLField<unknown, unknown> | undefined): number {
  const declared = field?.extensions['weight']
  return typeof declared === 'number' ? declared : 1
}

/** How many of a field's objects there may be. */
function sizeOf(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  parent: GraphQLCompositeType | undefined,
): number {
  if (field.args.some(({ name }) => name === 'first')) return askedPageSize(node)
  const declared = field.extensions['listSizeMax']
  if (typeof declared === 'number') return declared
  // The rows of a connection were counted where its page was asked for.
  if (!isListType(getNullableType(field.type)) || parent?.name.endsWith('Connection')) return 1
  return plainListSize
}

function askedPageSize(node: FieldNode): number {
  const value = node.arguments?.find(({ name }) => name.value === 'first')?.value
  if (value === undefined || value.kind === Kind.NULL) return pageSizeDefault
  const asked = value.kind === Kind.INT ? Number(value.value) : pageSizeMax
  return Math.min(Math.max(asked, 1), pageSizeMax)
}
