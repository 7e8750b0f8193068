import { expect, test } from 'vitest'
import type { NodeShape, PodShape } from '../../../src/simulator/cluster/cluster.ts'
import { clusterLines, ratioToBest, reportCluster } from '../../../src/simulator/cluster/cluster-report.ts'
import { hasPodColumns, readNodes, readPods } from '../../../src/simulator/cluster/openb.ts'
import { drawUntilFull, placePods } from '../../../src/simulator/cluster/place-pods.ts'
import { Random } from '../../../src/simulator/random.ts'

const share = (deviceMilli: number): PodShape => ({ cpuMilli: 4000, memoryMib: 8192, devices: 1, deviceMilli })
const several = (devices: number): PodShape => ({ cpuMilli: 8000, memoryMib: 65_536, devices, deviceMilli: 1000 })
const node = (devices: number): NodeShape => ({ cpuMilli: 96_000, memoryMib: 400_000, devices })
const drawn = (random: Random) => random.pick([share(810), share(470), share(650), share(320), several(1), several(4)])

test('a pod takes its share, and one that fits nowhere is counted', () => {
  const result = placePods([node(1)], [share(700), share(700), share(300)], 'fgd')
  expect(result).toMatchObject({ notPlaced: 1, requestedShare: 1.7 })
  expect(result.unallocatableShare).toBeCloseTo(0)
})

test('a pod of several devices takes whole ones', () => {
  const result = placePods([node(2), node(4)], [share(100), several(4), several(2)], 'fgd')
  expect(result.notPlaced).toBe(1)
})

test('less memory ends up unusable by fragmentation and by capacity than by best fit', () => {
  const random = new Random(1)
  const nodes = Array.from({ length: 60 }, () => node(random.pick([2, 4, 8])))
  const pods = Array.from({ length: 500 }, () => drawn(random))
  const until = drawUntilFull(nodes, pods, 1)
  const results = (['best-fit', 'fgd', 'capacity'] as const).map((policy) => placePods(nodes, until, policy))
  expect(ratioToBest(results)).toBeLessThanOrEqual(1.05)
  expect(results[1]!.unallocatableShare).toBeLessThan(results[0]!.unallocatableShare)
})

test('the same seed draws the same pods', () => {
  const pods = [share(100), share(500), several(1)]
  expect(drawUntilFull([node(8)], pods, 3)).toEqual(drawUntilFull([node(8)], pods, 3))
  expect(drawUntilFull([node(8)], pods, 3)).not.toEqual(drawUntilFull([node(8)], pods, 4))
})

const nodeTable = 'sn,cpu_milli,memory_mib,gpu,model\na,32000,262144,0,\nb,96000,400000,2,G2\n'
const podTable =
  'create_s,delete_s,pod,cpu_milli,mem_mib,num_gpu,gpu_milli,gpu_spec,qos\n0,9,p,4000,8192,1,460,,LS\n5,9,q,1000,512,0,0,,BE\n'

test('tables are read by the names of their columns', () => {
  expect(readNodes(nodeTable)[1]).toEqual({ cpuMilli: 96_000, memoryMib: 400_000, devices: 2 })
  expect(readPods(podTable)[0]).toEqual({ cpuMilli: 4000, memoryMib: 8192, devices: 1, deviceMilli: 460 })
  expect(hasPodColumns('timestamp_s,model_id')).toBe(false)
  expect(hasPodColumns(podTable.split('\n')[0]!)).toBe(true)
})

test('a broken row is refused with its line', () => {
  expect(() => readPods(`${podTable}7,9,r,x,512,1,100,,BE\n`)).toThrow('Line 4: cpu_milli is "x"')
  expect(() => readNodes('sn,gpu\n')).toThrow('no column cpu_milli')
})

test('the report names every policy, as recorded and drawn', () => {
  const lines = clusterLines(reportCluster(nodeTable, podTable, 7)).join('\n')
  for (const words of ['best-fit', 'fgd', 'capacity', 'as recorded', 'seed 7']) expect(lines).toContain(words)
})
