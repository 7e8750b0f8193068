import type { TensorPortView } from '../src/app/app.ts'
import { builder } from './builder.ts'

export const TensorPort = builder.objectRef<TensorPortView>('TensorPort').implement({
  description: 'An input or output of a graph, as its file has it.',
  fields: (t) => ({
    name: t.exposeString('name'),
    dtype: t.exposeString('dtype', {
      description: 'A numpy name, `bfloat16`, or `string`; of an output that is no tensor, its type in words.',
    }),
    shape: t.field({
      type: ['JSON'],
      nullable: { list: true, items: true },
      description:
        'A number; a name, where equal names stand for equal lengths; null for any length. No list at all: any shape.',
      resolve: ({ shape }) => (shape === null ? null : [...shape]),
    }),
  }),
})
