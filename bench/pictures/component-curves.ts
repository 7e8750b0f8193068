/** Components run alone on the worker's core, with the worker's session options. */
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { PythonLines } from '../harness/python-lines.ts'
import { type CurvePoint, kneeOf } from './cost-curve.ts'
import type { Curves } from './picture-costs.ts'

const program = new URL('curves.py', import.meta.url)
export const components = ['text_encoder', 'unet', 'vae_decoder', 'safety_checker', 'upscaler']
export const rowsMeasured = [1, 2, 4, 8, 16]
const pointMs = 700
const quickPointMs = 60

export class ComponentRuns implements Disposable {
  readonly #program: PythonLines
  readonly #settings: RunSettings

  static async start(model: string, core: number, threads: number, settings: RunSettings): Promise<ComponentRuns> {
    return new ComponentRuns(await PythonLines.start({ script: program, model, threads, cores: [core] }), settings)
  }

  private constructor(started: PythonLines, settings: RunSettings) {
    this.#program = started
    this.#settings = settings
  }

  async measure(component: string, rows: number): Promise<CurvePoint> {
    const milliseconds = this.#settings.isQuick ? quickPointMs : pointMs
    const { runMs } = (await this.#program.ask({ component, rows, milliseconds })) as { readonly runMs: number }
    return { rows, runMs }
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]()
  }
}

export async function measureCurves(runs: ComponentRuns, { quiet, say }: RunSettings): Promise<Curves> {
  const curves: Record<string, CurvePoint[]> = {}
  for (const component of components) {
    const curve: CurvePoint[] = []
    for (const rows of rowsMeasured) curve.push(await quiet.round(() => runs.measure(component, rows)))
    curves[component] = curve
    say(`${component}: ${curve.map(({ rows, runMs }) => `${rows} in ${runMs.toFixed(1)} ms`).join(', ')}`)
  }
  return curves
}

/** Of each component what its runs take, and the knee. */
export function curveFigures(curves: Curves): Figure[] {
  return Object.entries(curves).flatMap(([component, curve]) => [
    ...curve.map(({ rows, runMs }) =>
      figure(
        {
          id: curveId(component, rows),
          what: `${component}, a run of ${rows === 1 ? '1 row' : `${rows} rows`}`,
          unit: 'ms',
          better: 'lower',
        },
        [[runMs]],
      ),
    ),
    figure(
      {
        id: curveId(component, 'knee'),
        what: `${component}, fewest rows with 95 % of the best rate`,
        unit: 'rows',
        better: 'lower',
      },
      [[kneeOf(curve)]],
    ),
  ])
}

export function curveId(component: string, point: number | 'knee'): string {
  return `pictures.curve.${component}.${point}`
}
