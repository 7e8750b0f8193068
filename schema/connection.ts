/** Relay connections over keyset pages: newest first, `after` is the id of the last row seen, and one row more than asked tells whether there are others. */
import type { InterfaceRef, ObjectRef } from '@pothos/core'
import type { PageRequest } from '../src/store/store.ts'
import { builder } from './builder.ts'
import { type CursorKind, encodeCursor, readCursor } from './cursor.ts'
import { pageSize } from './page-size.ts'

export interface Page<Row> {
  readonly edges: readonly Edge<Row>[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  /** Asked only when selected. */
  readonly count: () => Promise<number>
}
interface Edge<Row> {
  readonly cursor: string
  readonly node: Row
}

/** `Job` gives JobConnection and JobEdge. `Extra` is what a page carries beside its rows. */
export function connectionRef<Row, Extra = unknown>(name: string, node: NodeRef<Row>) {
  const edge = builder.objectRef<Edge<Row>>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      node: t.field({ type: node, resolve: (edge) => edge.node as never }),
    }),
  })
  return builder.objectRef<Page<Row> & Extra>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({ type: [edge], resolve: (page) => page.edges }),
      nodes: t.field({ type: [node], resolve: (page) => page.edges.map((edge) => edge.node) as never }),
      pageInfo: t.field({ type: PageInfo, resolve: (page) => page }),
      totalCount: t.int({ nullable: true, resolve: (page) => page.count() }),
    }),
  })
}
type NodeRef<Row> =
  | ObjectRef<typeof builder.$inferSchemaTypes, Row>
  | InterfaceRef<typeof builder.$inferSchemaTypes, Row>

const PageInfo = builder.objectRef<Page<unknown>>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.string({ nullable: true, resolve: (page) => page.edges[0]?.cursor ?? null }),
    endCursor: t.string({ nullable: true, resolve: (page) => page.edges.at(-1)?.cursor ?? null }),
  }),
})

export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
}
interface PageSource<Row> {
  readonly cursors: CursorKind
  /** At most `first` rows, newest first. */
  readonly read: (page: PageRequest) => Promise<readonly Row[]>
  readonly position: (row: Row) => number
  readonly count: () => Promise<number>
  /** Given where a page may end early because its rows are large: there is none after this row. */
  readonly isLast?: (row: Row) => boolean
}

export async function readPage<Row>(args: PageArguments, source: PageSource<Row>): Promise<Page<Row>> {
  const first = pageSize(args.first)
  const beforeId = readCursor(source.cursors, args.after)
  const rows = await source.read({ first: first + 1, beforeId })
  return {
    edges: rows.slice(0, first).map((node) => ({ cursor: encodeCursor(source.cursors, source.position(node)), node })),
    hasNextPage: rows.length > first || endsEarly(rows, source),
    hasPreviousPage: beforeId !== null,
    count: source.count,
  }
}

function endsEarly<Row>(rows: readonly Row[], { isLast }: PageSource<Row>): boolean {
  const last = rows.at(-1)
  return isLast !== undefined && last !== undefined && !isLast(last)
}
