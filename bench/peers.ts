/**
 * What other servers reached, measured earlier on such a machine (2026-11-23: 2 cores of an AMD EPYC VM, no GPU), all by one
 * raw-TCP generator: server and all its processes on core 0, generator on core 1, closed loop, keep-alive, access logs off,
 * every peer with its documented fast settings. The machine drifted by about 30 % meanwhile, so compare orders, not percents.
 * None of them stores what it accepts, except BentoML's task queue.
 */
import type { Table } from './harness/table.ts'

export interface PeerTable extends Table {
  readonly title: string
}

export const peerSource =
  'Peers: measured earlier on such a machine (2 cores, no GPU, server with all its processes on core 0, generator on core 1; ' +
  'the machine drifted by about 30 %). Python 3.11.7, FastAPI 0.165.0 with uvicorn 0.54.0, uvloop 0.23.0, httptools 0.9.0 and pydantic 2.14.3; ' +
  'LitServe 0.2.19; Ray 2.60.0; BentoML 1.4.39; MLServer 1.7.1; nvidia-pytriton 0.7.0; the sketch is 70 lines of Node 20.20.2 with one ' +
  'Python worker and without limits, storage or a log: an upper bound, not a product.'

export const noopPeers: PeerTable = {
  title: 'no-op request and answer, nothing stored',
  columns: ['peer', 'sequential p50 / p95 / p99 ms', '32 users per s', 'p50 / p99 ms'],
  rows: [
    ['FastAPI', '0.36 / 0.46 / 0.98', '5,786', '5.4 / 12.5'],
    ['LitServe', '1.12 / 1.51 / 2.2', '813', '38 / 58'],
    ['Ray Serve, client at the replica', '0.39 / 2.1 / 3.4', '2,730', '9.8 / 27'],
    ['Ray Serve, through its proxy', '12-18 / 19-32 / 24-52', '75-97', '330-427 / 504-556'],
    ['BentoML', '1.25 / 2.1 / 4.0', '722', '38 / 196'],
    ['MLServer, in process', '0.84 / 1.25 / 3.5', '2,298', '13 / 24'],
    ['MLServer, parallel worker', '2.0 / 3.1 / 3.8', '609', '50 / 83'],
    ['pytriton', '1.95 / 2.8 / 3.4', '499', '64 / 93'],
    ['the sketch, GraphQL', '0.33 / 0.63 / 3.0', '24,955', '1.2 / 3.4'],
  ],
}

export const streamPeers: PeerTable = {
  title: '10,000 streamed integers, one request, no log kept',
  columns: ['peer', 'items/s', 'first item ms'],
  rows: [
    ['FastAPI, one chunk per item', '185,378', '2.4'],
    ['Ray Serve, client at the replica', '170,406', '2.5'],
    ['BentoML', '31,573', '3.6'],
    ['LitServe', '3,724', '4.1'],
    ['the sketch, one GraphQL event per item', '106,583', '7.0'],
  ],
}

export const crashPeers: PeerTable = {
  title: 'kill -9 of the model process, 20 users, 20 ms serial jobs',
  columns: ['peer', 'in flight', 'lost', 'next success after'],
  rows: [
    ['FastAPI', '20', '20', 'never (one process)'],
    ['LitServe, restart_workers', '20', '1 (no answer for 11 s or more)', '1.99 s'],
    ['Ray Serve', '20', '19', '11.1 s'],
    ['BentoML', '20', '20', '5.1 s'],
    ['MLServer, parallel worker', '20', '20, and 377 new ones during the reload', '2.55 s'],
    ['the sketch', '20', '0', '0.57 s'],
    [
      'BentoML task queue, server killed',
      '20 acknowledged',
      '20, the 3 finished ones too',
      'unknown ids after the restart',
    ],
  ],
}

export const startPeers: PeerTable = {
  title: 'start and memory, idle no-op service',
  columns: ['peer', 'start s', 'PSS MB (processes)'],
  rows: [
    ['FastAPI', '0.84', '54 (1)'],
    ['LitServe', '1.53', '125 (5)'],
    ['Ray Serve', '12', '622 (9)'],
    ['BentoML', '2.7', '205 (2)'],
    ['MLServer, parallel worker', '3.0', '225 (3)'],
    ['pytriton', '3.6', '165 (6)'],
    ['the sketch', '0.32', '103 (2)'],
  ],
}

export const batchingPeers: PeerTable = {
  title:
    'a model that costs 1 ms + 1 ms x batch, 100 users, batches of at most 64, a wait of 5 ms where there is one to set',
  columns: ['peer', 'of 1,000 per s', 'p95 ms'],
  rows: [
    ['FastAPI, no batching', '.46', '227'],
    ['FastAPI, own micro-batcher', '.80 (.95 without its wait)', '156 (130)'],
    ['LitServe', '.75 (.33 with a wait of 0.1 ms)', '159 (331)'],
    ['MLServer, parallel worker', '.80', '218'],
    ['pytriton', '.71', '179'],
    ['Ray Serve, client at the replica', '.62', '180'],
    ['BentoML', '.39', '385'],
    ['the sketch, no wait', '.97', '108'],
  ],
}

export const embedPeers: PeerTable = {
  title:
    'the same encoder, 32 tokens, batches of at most 16; the encoder alone did 104.8/s one by one and 128.7/s by 16',
  columns: ['peer', '1 user per s', '8 users', '32 users', '32 users to the encoder alone'],
  rows: [
    ['FastAPI, no batching', '77', '78', '84', '.65'],
    ['FastAPI, own micro-batcher', '53', '99', '112', '.87'],
    ['LitServe', '54', '93', '105', '.82'],
    ['BentoML', '68', '91', '91', '.70'],
    ['MLServer, parallel worker', '50', '99', '110', '.86'],
    ['pytriton', '45', '101', '117', '.91'],
    ['Ray Serve, client at the replica', '47', '83', '91', '.70'],
    ['the sketch', '88', '112', '118', '.91'],
  ],
}
