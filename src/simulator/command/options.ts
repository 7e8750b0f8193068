/** The options of the command, checked: whatever is wrong is said with the name of the option. */
import { parseArgs } from 'node:util'
import { type EvictionName, evictionNames } from '../../scheduler/eviction/policies/policies.ts'
import { type RoutingName, routingNames } from '../../scheduler/settings.ts'
import { generatedDefaults } from '../traces/generated.ts'
import { defaultTraceOptions, type TraceOptions } from '../world/trace-options.ts'

export class WrongOption extends Error {}

export type Invocation =
  | { readonly mode: 'help' }
  | { readonly mode: 'replay'; readonly file: string }
  | FaultsInvocation
  | { readonly mode: 'cluster'; readonly nodes: string; readonly pods: string; readonly seed: number }
  | { readonly mode: 'batching'; readonly requests: number; readonly seed: number; readonly seeds: number }
  | TraceInvocation

export interface FaultsInvocation {
  readonly mode: 'faults'
  readonly from: number
  readonly seeds: number
  /** Null = as drawn. */
  readonly routing: RoutingName | null
  readonly order: TraceOptions['order'] | null
}

export interface TraceInvocation {
  readonly mode: 'trace'
  /** Null = generated. */
  readonly trace: string | null
  readonly rows: number
  readonly requests: number | null
  readonly days: number
  readonly loadTimes: string | null
  readonly policies: readonly EvictionName[]
  readonly routings: readonly RoutingName[]
  readonly seeds: number
  /** Null = as the number of seeds asks for. */
  readonly jitter: number | null
  readonly isJson: boolean
  readonly world: TraceOptions
}

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const
const orders = ['arrival', 'residency'] as const
const manySeeds = 200
const manyRequests = 2000

export function parseInvocation(args: readonly string[]): Invocation {
  const values = parse(args)
  if (values.help) return { mode: 'help' }
  if (values.replay !== undefined) return { mode: 'replay', file: values.replay }
  if (values.faults) {
    return {
      mode: 'faults',
      from: whole('from', values.from, 1, 0),
      seeds: whole('seeds', values.seeds, manySeeds),
      routing: values.routing === undefined ? null : oneOf('routing', values.routing, routingNames, 'ect'),
      order: values.order === undefined ? null : oneOf('order', values.order, orders, 'residency'),
    }
  }
  if (values.batching)
    return {
      mode: 'batching',
      requests: whole('requests', values.requests, manyRequests),
      seed: whole('seed', values.seed, 1, 0),
      seeds: whole('seeds', values.seeds, 1),
    }
  if (values.nodes !== undefined) {
    if (values.trace === undefined) throw new WrongOption('--nodes needs the pods of the cluster as --trace.')
    return { mode: 'cluster', nodes: values.nodes, pods: values.trace, seed: whole('seed', values.seed, 1, 0) }
  }
  if (values.from !== undefined) throw new WrongOption('--from is only for --faults; --seed is where --seeds begin.')
  const execution = oneOf('execution', values.execution, ['none', 'recorded'] as const, 'recorded')
  if (values['batch-backlog'] && execution === 'none')
    throw new WrongOption('--batch-backlog needs --execution recorded: work that takes no time competes with nothing.')
  const policies = oneOrAll('policy', values.policy, evictionNames, defaultTraceOptions.policy)
  const routings = oneOrAll('routing', values.routing, routingNames, defaultTraceOptions.routing)
  return {
    mode: 'trace',
    trace: values.trace ?? null,
    rows: whole('rows', values.rows, Number.MAX_SAFE_INTEGER),
    requests: values.requests === undefined ? null : whole('requests', values.requests, 1),
    days: positive('days', values.days, generatedDefaults.days),
    loadTimes: values['load-times'] ?? null,
    policies,
    routings,
    seeds: whole('seeds', values.seeds, 1),
    jitter: values.jitter === undefined ? null : share('jitter', values.jitter, 0),
    isJson: values.json,
    world: {
      ...defaultTraceOptions,
      devices: whole('devices', values.devices, defaultTraceOptions.devices),
      memoryGb: positive('memory-gb', values['memory-gb'], defaultTraceOptions.memoryGb),
      order: oneOf('order', values.order, orders, defaultTraceOptions.order),
      execution,
      compress: positive('compress', values.compress, defaultTraceOptions.compress),
      seed: whole('seed', values.seed, defaultTraceOptions.seed, 0),
      warmupShare: share('warmup', values.warmup, defaultTraceOptions.warmupShare),
      batchBacklog: values['batch-backlog'],
      check: values.check,
    },
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        trace: text,
        nodes: text,
        rows: text,
        requests: text,
        days: text,
        compress: text,
        warmup: text,
        'load-times': text,
        'batch-backlog': flag,
        devices: text,
        'memory-gb': text,
        policy: text,
        routing: text,
        order: text,
        execution: text,
        seed: text,
        seeds: text,
        from: text,
        jitter: text,
        check: flag,
        json: flag,
        faults: flag,
        batching: flag,
        replay: text,
        help: flag,
      },
    }).values
  } catch (error) {
    // Its words name the option.
    throw new WrongOption(error instanceof Error ? error.message : String(error))
  }
}

function oneOf<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
  usual: Name,
): Name {
  if (given === undefined) return usual
  const name = names.find((each) => each === given)
  if (name === undefined) throw new WrongOption(`--${option} is "${given}"; expected is one of ${names.join(', ')}.`)
  return name
}

function oneOrAll<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
  usual: Name,
): readonly Name[] {
  return given === 'all' ? names : [oneOf(option, given, names, usual)]
}

function whole(option: string, given: string | undefined, usual: number, least = 1): number {
  const value = numberOf(option, given, usual)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new WrongOption(`--${option} is "${given}"; a whole number from ${least} on is expected.`)
}

function positive(option: string, given: string | undefined, usual: number): number {
  const value = numberOf(option, given, usual)
  if (value > 0) return value
  throw new WrongOption(`--${option} is "${given}"; a number above 0 is expected.`)
}

function share(option: string, given: string | undefined, usual: number): number {
  const value = numberOf(option, given, usual)
  if (value >= 0 && value < 1) return value
  throw new WrongOption(`--${option} is "${given}"; a number from 0 to below 1 is expected.`)
}

function numberOf(option: string, given: string | undefined, usual: number): number {
  if (given === undefined) return usual
  const value = given.trim() === '' ? Number.NaN : Number(given)
  if (Number.isFinite(value)) return value
  throw new WrongOption(`--${option} is "${given}"; a number is expected.`)
}
