/** kill -9, of a worker and of the server, while work is under way: what is lost, what comes twice, when the next result comes. */
import { measureServerKills } from './crash/server-kills.ts'
import { measureWorkerKills } from './crash/worker-kills.ts'
import type { Benchmark } from './harness/benchmark.ts'
import { crashPeers } from './peers.ts'

export const crash: Benchmark = {
  name: 'crash',
  about:
    'kill -9 of a worker with 20 jobs of 20 ms in flight; kill -9 of the server in a stream of submissions, restarted on the same folder.',
  placement: 'server and workers on core 0, generator on core 1',
  generatorCore: 1,
  peers: [crashPeers],
  run: async (settings) => [...(await measureWorkerKills(settings)), ...(await measureServerKills(settings))],
}
