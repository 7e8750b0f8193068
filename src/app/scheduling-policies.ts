/** The scheduler's policies as ServerInfo tells them: which is in force, and what it does. */
import type { Config } from '../config/config.ts'
import type { NamedSetting } from './app.ts'

export function schedulingPolicies(config: Config): readonly NamedSetting[] {
  return [
    { name: 'routing', value: config.HEARTH_ROUTING, description: routings[config.HEARTH_ROUTING] },
    { name: 'queueOrder', value: config.HEARTH_QUEUE_ORDER, description: queueOrders[config.HEARTH_QUEUE_ORDER] },
    { name: 'eviction', value: config.HEARTH_EVICTION, description: evictions[config.HEARTH_EVICTION] },
    {
      name: 'minimumResidence',
      value: String(config.HEARTH_MINIMUM_RESIDENCE_LOADS),
      description: 'How long a model stays at least, in times that its load took.',
    },
    {
      name: 'sessionGrace',
      value: String(config.HEARTH_SESSION_GRACE_MS),
      description: 'How long at most the model of an open session is kept between its jobs, milliseconds.',
    },
    { name: 'batching', value: config.HEARTH_BATCHING, description: batchings[config.HEARTH_BATCHING] },
    {
      name: 'fairness',
      value: 'weighted turns of users and sessions',
      description:
        'Interactive work goes first. Within a class sessions share by measured work and by their weights; all callers are one user until there are credentials.',
    },
    {
      name: 'interactiveDevices',
      value: String(config.HEARTH_INTERACTIVE_DEVICE_SHARE),
      description: 'Share of the devices that take interactive work only.',
    },
    {
      name: 'preemption',
      value: String(config.HEARTH_PREEMPTION_LIMIT),
      description: 'How often a batch job may be paused to make room for interactive work.',
    },
    {
      name: 'batchAgeing',
      value: String(config.HEARTH_BATCH_AGEING_MS),
      description: 'After so many milliseconds a model that batch work waits for is loaded as if interactive work did.',
    },
    {
      name: 'memoryPressure',
      value: `${config.HEARTH_PRESSURE_TIGHT}, ${config.HEARTH_PRESSURE_CRITICAL}`,
      description:
        'Shares of the memory of a device in use from which batch work loads nothing more there, and from which it pauses.',
    },
    {
      name: 'recycling',
      value: String(config.HEARTH_RECYCLE_AFTER_TASKS),
      description: 'Tasks after which a worker whose memory grows hands over to a fresh one.',
    },
  ]
}

const routings: Readonly<Record<Config['HEARTH_ROUTING'], string>> = {
  ect: 'A job goes where it is done first: waiting, loading, running, and what its load would push out; decided when a place is free.',
  'round-robin': 'Devices take turns.',
  wrr: 'Devices take turns by weights that follow what they have available.',
  'least-loaded': 'The device with the least work ahead, among those with room.',
  affinity: 'The device that suits the model best.',
  capacity: 'The device whose memory is left least broken up.',
  performance: 'The device that runs the model fastest, unless it is busy; models that are used much move there.',
  complexity: 'Short work and long work go to different devices.',
  adaptive: 'Several measures together, weighted by what jobs have taught.',
}
const queueOrders: Readonly<Record<Config['HEARTH_QUEUE_ORDER'], string>> = {
  residency: 'Jobs of models that are loaded may go before others, within a limit.',
  arrival: 'Strictly first come, first served.',
}
const evictions: Readonly<Record<Config['HEARTH_EVICTION'], string>> = {
  lru: 'The model that was unused the longest leaves.',
  lfu: 'The model that was used least often leaves.',
  gdsf: 'The model leaves whose uses, weighed with the time of its load and its size, count least; what was long ago counts less.',
  'multi-rate':
    'The model leaves that is least likely to be wanted, as its rates over a minute to a day say, for its load time and size.',
  'decayed-value': 'The model leaves whose recent uses, weighed with the time of its load and its size, count least.',
  hedge: 'A mixture of policies that follows whichever would have missed least.',
}
const batchings: Readonly<Record<Config['HEARTH_BATCHING'], string>> = {
  learnt: 'As many tasks share a step as were measured to pay, per model, device and shape.',
  fixed: 'As many tasks share a step as the manifests say.',
}
