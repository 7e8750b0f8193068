/** What speaks against the graph of a manifest: nodes that are not there, circles, and what a job of its kind could not be made of. */
import { circle, dependencyOrder } from './dependency-order.ts'
import { pictureDefaultProblems } from './picture-defaults.ts'
import { checkingProgram, writingPrograms } from './picture-programs.ts'

export interface GraphNode {
  readonly node: string
  readonly program: string
  readonly after: readonly string[]
  readonly each?: 'picture' | undefined
  readonly when?: 'upscale' | 'check' | undefined
}
export interface ModelGraph {
  readonly task: string
  readonly graph: readonly GraphNode[]
  readonly defaults: Readonly<Record<string, unknown>>
  readonly limits: { readonly maxSteps?: number | undefined }
  readonly options: {
    readonly sizes?: readonly { readonly width: number; readonly height: number }[] | undefined
    readonly upscale?: { readonly factors: readonly number[] } | undefined
    readonly safety?: object | undefined
  }
}
/** `path`: of the field in the manifest. */
export interface GraphProblem {
  readonly path: (string | number)[]
  readonly message: string
}

export function graphProblems(model: ModelGraph): readonly GraphProblem[] {
  const broken = [...nameProblems(model.graph), ...orderProblems(model.graph)]
  // What a job could be made of can only be said of a graph that hangs together.
  return broken.length > 0 ? broken : kindProblems(model)
}

function nameProblems(graph: readonly GraphNode[]): GraphProblem[] {
  const names = graph.map(({ node }) => node)
  return graph.flatMap(({ node, after }, index) => [
    ...(names.indexOf(node) === index ? [] : [{ path: ['graph', index, 'node'], message: 'is used twice' }]),
    ...after.flatMap((wanted, place) =>
      names.includes(wanted) ? [] : [{ path: ['graph', index, 'after', place], message: `there is no node ${wanted}` }],
    ),
  ])
}

function orderProblems(graph: readonly GraphNode[]): GraphProblem[] {
  const found = dependencyOrder(graph.map(({ node, after }) => ({ name: node, needs: after })))
  if ('cycle' in found)
    return [{ path: ['graph'], message: `nodes wait for each other in a circle: ${circle(found.cycle)}` }]
  const each = new Set(graph.filter((node) => node.each).map(({ node }) => node))
  return graph.flatMap(({ node, after }, index) =>
    after
      .filter((wanted) => each.has(wanted) && !each.has(node))
      .map((wanted) => ({
        path: ['graph', index, 'after'],
        message: `${node} is done once and ${wanted} for each picture; give ${node} each: "picture" too`,
      })),
  )
}

function kindProblems(model: ModelGraph): GraphProblem[] {
  switch (model.task) {
    case 'textToImage':
      return [
        ...writerProblems(model),
        ...checkerProblems(model),
        ...sizeProblems(model),
        ...factorProblems(model),
        ...pictureDefaultProblems(model),
      ]
    case 'upscaleImage':
      return [...pictureWords(model), ...writerProblems(model), ...endProblems(model), ...upscalerProblems(model)]
    default:
      return [...pictureWords(model), ...endProblems(model)]
  }
}

/** The job's only output is that of its last task. */
function endProblems({ graph }: ModelGraph): GraphProblem[] {
  const last = lastNodes(graph).map(({ node }) => node)
  if (last.length === 1) return []
  return [{ path: ['graph'], message: `must end with one node, and ${last.join(', ')} are followed by none` }]
}

function pictureWords({ task, graph }: ModelGraph): GraphProblem[] {
  return graph.flatMap((node, index) =>
    (['each', 'when'] as const)
      .filter((field) => node[field] !== undefined)
      .map((field) => ({ path: ['graph', index, field], message: `is for textToImage only; this model does ${task}` })),
  )
}

/** Exactly one file of each picture, always, and where the server gets it. */
function writerProblems({ task, graph }: ModelGraph): GraphProblem[] {
  const writers = graph.filter(({ program }) => writingPrograms.includes(program))
  const [writer] = writers
  const names = writingPrograms.join(' or ')
  if (!writer || writers.length > 1)
    return [{ path: ['graph'], message: `must have exactly one node of program ${names}, which gives the picture` }]
  return [
    ...(task === 'textToImage' ? eachProblems(graph, writer) : []),
    ...followedProblems(graph, writer),
    ...(writer.when === undefined ? [] : [at(graph, writer, 'when', 'every picture is written; leave this out')]),
  ]
}

function checkerProblems({ graph, options }: ModelGraph): GraphProblem[] {
  const checkers = graph.filter(({ program }) => program === checkingProgram)
  const isDescribed = checkers.length === 0 || options.safety !== undefined
  return [
    ...(isDescribed ? [] : [{ path: ['options', 'safety'], message: `must say how ${checkingProgram} checks` }]),
    ...checkers.flatMap((checker) => [
      ...eachProblems(graph, checker),
      ...followedProblems(graph, checker),
      ...(checker.when === 'upscale' ? [at(graph, checker, 'when', 'every picture is checked; give "check"')] : []),
    ]),
  ]
}

function sizeProblems({ defaults, options }: ModelGraph): GraphProblem[] {
  const sizes = options.sizes ?? []
  const [first] = sizes
  if (!first)
    return [{ path: ['options', 'sizes'], message: 'must name a size that the model makes: [{ "width", "height" }]' }]
  const { width = first.width, height = first.height } = defaults
  if (sizes.some((size) => size.width === width && size.height === height)) return []
  return [{ path: ['defaults'], message: `${String(width)} x ${String(height)} is none of options.sizes` }]
}

/** What is offered can be done, and what can be done is offered. */
function factorProblems({ graph, options }: ModelGraph): GraphProblem[] {
  const isOffered = (options.upscale?.factors ?? []).some((factor) => factor > 1)
  const isDone = graph.some(({ when }) => when === 'upscale')
  if (isOffered === isDone) return []
  return isOffered
    ? [{ path: ['graph'], message: 'has no node with when: "upscale", and options.upscale offers factors' }]
    : [{ path: ['options', 'upscale'], message: 'must offer factors, because the graph has a node for them' }]
}

function upscalerProblems({ options }: ModelGraph): GraphProblem[] {
  if ((options.upscale?.factors ?? []).some((factor) => factor > 1)) return []
  return [{ path: ['options', 'upscale'], message: 'must offer factors above 1: { "factors": [2] }' }]
}

function eachProblems(graph: readonly GraphNode[], node: GraphNode): GraphProblem[] {
  return node.each ? [] : [at(graph, node, 'each', 'must be "picture": it works on one')]
}

function followedProblems(graph: readonly GraphNode[], { node }: GraphNode): GraphProblem[] {
  return graph.flatMap(({ after }, index) =>
    after.includes(node)
      ? [{ path: ['graph', index, 'after'], message: `the output of ${node} is the job's; nothing may follow it` }]
      : [],
  )
}

function lastNodes(graph: readonly GraphNode[]): readonly GraphNode[] {
  const followed = new Set(graph.flatMap(({ after }) => after))
  return graph.filter(({ node }) => !followed.has(node))
}

function at(graph: readonly GraphNode[], node: GraphNode, field: string, message: string): GraphProblem {
  return { path: ['graph', graph.indexOf(node), field], message }
}
