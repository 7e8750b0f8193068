/**
 * The one Pothos builder. Output fields are non-null unless they say otherwise. Relay's conventions need so little here (an id field,
 * a keyset page) that node.ts and connection.ts hold them, rather than a plugin with its own rules for malformed ids.
 */
import SchemaBuilder from '@pothos/core'
import type { Millis } from '../src/scheduler/ids.ts'
import type { RequestContext } from './context.ts'

export interface SchemaTypes {
  Context: RequestContext
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Millis; Output: Millis }
    ByteCount: { Input: number; Output: number }
    SafeInt: { Input: number; Output: number }
    URL: { Input: string; Output: string }
    Vector: { Input: never; Output: Float32Array }
    JSON: { Input: unknown; Output: unknown }
  }
}

export const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false })

builder.queryType({})
builder.mutationType({})
builder.subscriptionType({})
