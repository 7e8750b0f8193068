/**
 * The tasks of a job: its model's graph, with a task of its own for each picture where the manifest says so, and without the nodes that the request does not want.
 * Pure; numbers of tasks are given by whoever asks.
 */
import { dependencyOrder } from '../runtime/models/dependency-order.ts'
import type { Manifest } from '../runtime/models/manifest.ts'
import type { TaskStage } from '../scheduler/events.ts'
import type { AcceptedRequest } from './request-artifacts.ts'

type Node = Manifest['graph'][number]

/** What of a graph a request wants. */
export interface WantedTasks {
  readonly pictures: number
  /** Nodes that are there only when the picture is made larger. */
  readonly upscale: boolean
  /** Nodes that are there only when the picture is checked. */
  readonly check: boolean
}
export interface PlannedTask {
  readonly node: string
  readonly program: string
  readonly components: readonly string[]
  /** Which picture it works on, from 0; 0 for what is done once for all of them. */
  readonly item: number
  readonly stage: TaskStage
  /** Another task follows, and takes its output. */
  readonly isHeld: boolean
  /** Places in the list of those that must have ended first; all of them lie before its own. */
  readonly after: readonly number[]
}

export function wantedTasks({ textToImage, terms }: AcceptedRequest): WantedTasks {
  if (!textToImage || !terms) return { pictures: 1, upscale: false, check: false }
  return { pictures: textToImage.count, upscale: textToImage.upscale > 1, check: terms.safety.policy !== 'off' }
}

/** Of one node after the other, and of each node in the order of the pictures. */
export function planTasks(graph: Manifest['graph'], wanted: WantedTasks): readonly PlannedTask[] {
  const nodes = inOrder(graph).filter(({ when }) => when === undefined || wanted[when])
  const itemsOf = ({ each }: Node) => (each === 'picture' ? wanted.pictures : 1)
  const firstPlace = new Map<string, number>()
  let places = 0
  for (const node of nodes) {
    firstPlace.set(node.node, places)
    places += itemsOf(node)
  }
  const followed = new Set(nodes.flatMap(({ after }) => after))
  return nodes.flatMap((node) =>
    Array.from({ length: itemsOf(node) }, (_, item) => ({
      node: node.node,
      program: node.program,
      components: node.components,
      item,
      stage: node.stage ?? 'inference',
      isHeld: followed.has(node.node),
      after: nodes
        .filter((other) => node.after.includes(other.node))
        // Of what is done once there is one for all pictures.
        .map((other) => (firstPlace.get(other.node) ?? 0) + (other.each === 'picture' ? item : 0)),
    })),
  )
}

function inOrder(graph: Manifest['graph']): readonly Node[] {
  const found = dependencyOrder(graph.map(({ node, after }) => ({ name: node, needs: after })))
  if ('cycle' in found)
    throw new Error(`The graph of a manifest that was accepted goes round: ${found.cycle.join(', ')}.`)
  return found.order.map((place) => graph[place] as Node)
}
