import { expect, test } from 'vitest'
import { figure } from '../../../../bench/harness/benchmark.ts'
import { curveFigures } from '../../../../bench/pictures/component-curves.ts'
import { showPictures } from '../../../../bench/pictures/show.ts'
import { throughputFigures } from '../../../../bench/pictures/throughput-figures.ts'

const loop = (perSecond: number, ...latenciesMs: number[]) => ({ perSecond, latenciesMs })

test('curves say what a run takes, what company brings, and where it ends', () => {
  const unet = [1, 2, 4, 8, 16].map((rows) => ({ rows, runMs: rows === 1 ? 20 : 15 * rows }))
  const [row] = showPictures(curveFigures({ unet }))
    .split('\n')
    .filter((line) => line.startsWith('| unet'))
  expect(row?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    'unet',
    '20 ms, x 1',
    '30 ms, x 1.33',
    '60 ms, x 1.33',
    '120 ms, x 1.33',
    '240 ms, x 1.33',
    '2',
    '',
  ])
})

test('ways stand below each other, and what has a goal keeps its line', () => {
  const crowd = { key: '4', who: '4 callers', callers: 4, pictures: 2, ways: ['continuous', 'alone'] } as const
  const ways = { continuous: loop(2, 100, 300), alone: loop(1.5, 400, 600) }
  const text = showPictures([
    ...throughputFigures(crowd, [[{ allowed: 2.5, ways }]]),
    figure({ id: 'pictures.other', what: 'something else', unit: 'ms', better: 'lower' }, [[7]]),
  ])
  expect(text).toMatch(/4 callers +\| joining step by step +\| 2 +\| 200 +\| 300 /)
  expect(text).toMatch(/4 callers +\| one at a time +\| 1\.5 +\| 500 +\| 600 /)
  expect(text).toMatch(/of what the cost curves allow \| 0\.8 +\| ratio .*≥ 0\.95 +\| NO/)
  expect(text).toMatch(/mean wait joining step by step to one at a time +\| 0\.4 +\| ratio .*≤ 1 +\| yes/)
  expect(text).toMatch(/something else +\| 7 +\| ms/)
})

test('strangers decide their rate themselves, so it is not held against the curves', () => {
  const crowd = {
    key: 'random',
    who: 'random arrivals',
    callers: null,
    pictures: 1,
    ways: ['continuous', 'alone'],
  } as const
  const ways = { continuous: loop(1, 100), alone: loop(1, 80) }
  const figures = throughputFigures(crowd, [[{ allowed: 2, ways }]])
  expect(figures.map(({ id }) => id)).not.toContain('pictures.random.share')
  expect(figures.find(({ id }) => id === 'pictures.random.mean.ratio')?.series).toEqual([[1.25]])
})
