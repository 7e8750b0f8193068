/**
 * Where the time of a CPU profile went: `node bench/profile.ts FILE.cpuprofile...`. Profiles come from `npm run bench -- NAME --cpu-prof FOLDER`,
 * one per thread of the server. Shares are of the time that the thread was not idle.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { renderTable } from './harness/table.ts'

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

const rowsMax = 40
const idle: ReadonlySet<string> = new Set(['(idle)', '(root)', '(program)'])

for (const path of process.argv.slice(2)) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile
  const selfUs = new Map<number, number>()
  for (const [index, id] of samples.entries())
    selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0))
  const busyUs = sum(
    nodes.filter((node) => !idle.has(node.callFrame.functionName)).map((node) => selfUs.get(node.id) ?? 0),
  )
  console.log(`\n${basename(path)}: busy ${(busyUs / 1e6).toFixed(2)} s of ${(sum(timeDeltas) / 1e6).toFixed(2)} s\n`)
  if (busyUs === 0) continue
  const self = sumBy(nodes, selfUs, (node) => [nameOf(node)])
  const files = sumBy(nodes, selfUs, (node) => [fileOf(node)])
  const inclusive = inclusiveTimes(nodes, selfUs)
  console.log(`${table('file or package, own time', files, busyUs)}\n`)
  console.log(`${table('function, own time', self, busyUs)}\n`)
  console.log(`${table('function, with what it calls', inclusive, busyUs)}\n`)
}

/** Time by function with everything below it; recursion is counted once. */
function inclusiveTimes(nodes: readonly ProfileNode[], selfUs: ReadonlyMap<number, number>): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const children = new Set(nodes.flatMap((node) => node.children ?? []))
  const times = new Map<string, number>()
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    const path = above.has(name) ? above : new Set(above).add(name)
    const below = (node.children ?? []).map((id) => byId.get(id)).filter((child) => child !== undefined)
    const totalUs = (selfUs.get(node.id) ?? 0) + sum(below.map((child) => visit(child, path)))
    if (!above.has(name)) times.set(name, (times.get(name) ?? 0) + totalUs)
    return totalUs
  }
  for (const node of nodes) if (!children.has(node.id)) visit(node, new Set())
  return times
}

function sumBy(
  nodes: readonly ProfileNode[],
  selfUs: ReadonlyMap<number, number>,
  keysOf: (node: ProfileNode) => string[],
): Map<string, number> {
  const times = new Map<string, number>()
  for (const node of nodes)
    for (const key of keysOf(node)) times.set(key, (times.get(key) ?? 0) + (selfUs.get(node.id) ?? 0))
  return times
}

function table(title: string, times: ReadonlyMap<string, number>, busyUs: number): string {
  const rows = [...times]
    .filter(([name, us]) => !idle.has(name) && us / busyUs >= 0.005)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, rowsMax)
    .map(([name, us]) => [name, `${((us / busyUs) * 100).toFixed(1)} %`])
  return renderTable({ columns: [title, 'share'], rows })
}

function nameOf(node: ProfileNode): string {
  const { functionName, url, lineNumber } = node.callFrame
  return url === '' ? functionName : `${functionName || '(anonymous)'} ${fileOf(node)}:${lineNumber + 1}`
}

/** From the repository's root, or from the package's. */
function fileOf(node: ProfileNode): string {
  const { functionName, url } = node.callFrame
  if (url === '') return functionName
  return url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/node_modules\//, '')
    .replace(process.cwd(), '.')
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
