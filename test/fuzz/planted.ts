/** Targets with the faults that fuzzing is there to find, for the test of the fuzzing itself. */
import { holds, refusedAs, type Target } from './target.ts'

const held: Buffer[] = []
const seeds = [Buffer.from('one'), Buffer.from('two')]

export const targets: readonly Target[] = [
  { name: 'sound', seeds, words: [], read: () => {} },
  {
    name: 'refuses',
    seeds,
    words: [],
    read: () => {
      try {
        throw new RangeError('This is no number.')
      } catch (error) {
        refusedAs(error, RangeError)
      }
    },
  },
  {
    name: 'stumbles',
    seeds,
    words: ['!'],
    read: (input) => {
      try {
        if (input.includes('!')) (undefined as unknown as Buffer).toString()
      } catch (error) {
        refusedAs(error, Error)
      }
    },
  },
  { name: 'is-wrong', seeds, words: [], read: async (input) => holds(input.length < 200, 'nothing is that long') },
  {
    name: 'hangs',
    seeds,
    words: ['?'],
    read: (input) => {
      while (input.includes('?'));
    },
  },
  {
    name: 'stumbles-later',
    seeds,
    words: ['!'],
    read: (input) => {
      if (!input.includes('!')) return
      setImmediate(() => (undefined as unknown as Buffer).toString())
      return new Promise(() => {})
    },
  },
  { name: 'keeps', seeds, words: [], read: () => void held.push(Buffer.alloc(32 * 1024, 1)) },
]
