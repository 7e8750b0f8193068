import type { Benchmark } from './harness/benchmark.ts'
export const text: Benchmark = {
  name: 'text',
  about: '',
  placement: '',
  generatorCore: 0,
  peers: [],
  run: () => Promise.resolve([]),
}
