/**
 * Too many models for two small devices, with interactive and batch jobs at the same time: what is loaded how often against first come, first served with
 * least recently used eviction, whether budgets hold, and what saturating batch work costs interactive jobs.
 */
import { measureInterference } from './contention/interference.ts'
import { measureMixture } from './contention/mixture.ts'
import type { Benchmark } from './harness/benchmark.ts'

export const contention: Benchmark = {
  name: 'contention',
  about:
    'two declared CPU devices of one core each that hold some of eight models: 500 mixed jobs by two policies, and interactive jobs with and without saturating batch work.',
  placement: 'one device on core 0 and one on core 1, server on core 0 with the first, generator on both',
  generatorCore: 0,
  peers: [],
  run: async (settings) => {
    // To say what the machine was like.
    await settings.quiet.round(() => Promise.resolve())
    return [...(await measureMixture(settings)), ...(await measureInterference(settings))]
  },
}
