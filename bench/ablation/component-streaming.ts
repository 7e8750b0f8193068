/** An image model loaded component by component, each used as soon as it is there, or all its files read to their ends first. */

import { type Loaded, loadOnce } from '../loading/model-load.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const cores = [0]
const openers = 2

export const componentStreaming: Mechanism = {
  name: 'component-streaming',
  naive:
    'every file of the model is read to its end, then its components are opened, and nothing is used before all are.',
  pairs: 5,
  comparisons: [
    {
      key: 'first',
      what: 'starter image model, until its first component can be used',
      unit: 'ms',
      mustBring: { less: 0.7 },
    },
    {
      key: 'step',
      what: 'until the first step of denoising is done, the prompt encoded before it',
      unit: 'ms',
      mustBring: null,
    },
    { key: 'peak', what: 'growth of the process at most', unit: 'MB', mustBring: { less: 0.5 } },
  ],
  open: async () =>
    sidesOf(new AsyncDisposableStack(), {
      with: async () => valuesOf(await loadOnce({ way: 'by-component', openers, cores })),
      without: async () => valuesOf(await loadOnce({ way: 'whole-files', openers: 1, cores })),
    }),
}

function valuesOf({ firstComponentMs, firstStepMs, peakBytes }: Loaded): Values {
  return { first: firstComponentMs, step: firstStepMs, peak: peakBytes / 1e6 }
}
