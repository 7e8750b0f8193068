/** Components of a model opened side by side by what they depend on, or one after the other; and their order found out once, or searched each time. */
import { PythonLines } from '../harness/python-lines.ts'
import { loadOnce } from '../loading/model-load.ts'
import { type Mechanism, sidesOf } from './mechanism.ts'

/** A worker may have the whole machine while it loads. */
const cores = [0, 1]
const repetitions = 300
const resolver = new URL('../loading/resolve_graph.py', import.meta.url)

export const componentGraph: Mechanism = {
  name: 'component-graph',
  naive: 'components are opened one after the other, each time the first that waits for nothing.',
  pairs: 5,
  comparisons: [
    {
      key: 'load',
      what: 'starter image model, seven components, all open, on two cores',
      unit: 'ms',
      mustBring: { timesFaster: 3 },
    },
    {
      key: 'resolve',
      what: 'order of 64 components in chains of 8 found',
      unit: 'ms',
      mustBring: { less: 0.6 },
    },
  ],
  open: async () => {
    await using opened = new AsyncDisposableStack()
    const resolving = opened.use(await PythonLines.start({ script: resolver, model: 'ember', threads: 1, cores: [0] }))
    const resolveMs = async (way: 'graph' | 'search') =>
      ((await resolving.ask({ way, repetitions })) as { readonly resolveMs: number }).resolveMs
    const load = async (openers: number) => (await loadOnce({ way: 'by-component', openers, cores })).loadMs
    return sidesOf(opened.move(), {
      with: async () => ({ load: await load(2), resolve: await resolveMs('graph') }),
      without: async () => ({ load: await load(1), resolve: await resolveMs('search') }),
    })
  },
}
