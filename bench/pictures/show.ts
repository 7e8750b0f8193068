/** The figures of pictures as three tables: curves, ways, and the rest, one to a line. */
import type { Figure } from '../harness/benchmark.ts'
import { showFigures } from '../harness/show.ts'
import { summarise } from '../harness/statistics.ts'
import { formatNumber, renderTable } from '../harness/table.ts'
import { components, curveId, rowsMeasured } from './component-curves.ts'
import { crowds } from './crowds.ts'
import { wayId, wayInWords } from './throughput-figures.ts'

export function showPictures(figures: readonly Figure[]): string {
  const values = new Map(figures.map((figure) => [figure.id, summarise(figure).value]))
  const shown = new Set<string>()
  const value = (id: string): number => {
    shown.add(id)
    return values.get(id) ?? Number.NaN
  }
  const curves = renderTable({
    columns: ['component', ...rowsMeasured.map((rows) => `${rows} ${rows === 1 ? 'row' : 'rows'}`), 'knee, rows'],
    rows: components.map((component) => [
      component,
      ...rowsMeasured.map((rows) => pointInWords(rows, value(curveId(component, rows)), value(curveId(component, 1)))),
      formatNumber(value(curveId(component, 'knee'))),
    ]),
  })
  const ways = renderTable({
    columns: ['pictures of 8 to 30 steps', 'way', 'pictures/s', 'wait, mean ms', 'wait, p95 ms'],
    rows: crowds.flatMap(({ key, who, ways: each }) =>
      each.map((way) => [
        who,
        wayInWords[way],
        ...(['rate', 'mean', 'p95'] as const).map((name) => formatNumber(value(wayId(key, way, name)))),
      ]),
    ),
  })
  const rest = showFigures(figures.filter(({ id }) => !shown.has(id)))
  return `A run of each component, and rows a second against runs of one:\n\n${curves}\n\n${ways}\n\n${rest}`
}

function pointInWords(rows: number, runMs: number, aloneMs: number): string {
  return `${formatNumber(runMs)} ms, x ${formatNumber((aloneMs * rows) / runMs)}`
}
