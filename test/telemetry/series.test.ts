import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createCounter, createHistogram } from '../../src/telemetry/series.ts'

const described = { name: 'x_total', help: 'Of x.', labels: ['kind', 'outcome'] }

describe('a counter', () => {
  test('is exposed as what was counted, cell by cell, however often it is scraped', async () => {
    const registry = new Registry()
    const counter = createCounter(registry, described)
    counter('a', 'ok').count++
    counter('a', 'ok').count += 2
    counter('b', 'failed').count++
    await registry.metrics()
    expect(linesOf(await registry.metrics())).toEqual([
      'x_total{kind="a",outcome="ok"} 3',
      'x_total{kind="b",outcome="failed"} 1',
    ])
  })

  test('keeps apart cells whose labels share a value, or would read the same in one text', async () => {
    const registry = new Registry()
    const counter = createCounter(registry, described)
    counter('a', 'b c').count++
    counter('a', 'b').count += 2
    counter('a b', 'c').count += 3
    counter('b', 'a').count += 4
    expect(linesOf(await registry.metrics())).toEqual([
      'x_total{kind="a",outcome="b c"} 1',
      'x_total{kind="a",outcome="b"} 2',
      'x_total{kind="a b",outcome="c"} 3',
      'x_total{kind="b",outcome="a"} 4',
    ])
  })

  test('escapes what a label may not hold', async () => {
    const registry = new Registry()
    createCounter(registry, { ...described, labels: ['kind'] })('a"b\nc').count++
    expect(linesOf(await registry.metrics())).toEqual(['x_total{kind="a\\"b\\nc"} 1'])
  })
})

describe('a histogram', () => {
  test('counts a value under every bound it does not pass', async () => {
    const registry = new Registry()
    const histogram = createHistogram(registry, { name: 'y', help: 'Of y.', labels: ['kind'] }, [1, 2, 5])
    for (const value of [0.5, 1, 1.5, 5, 9]) histogram('a').observe(value)
    const text = await registry.metrics()
    expect(text).toContain('# TYPE y histogram')
    expect(linesOf(text)).toEqual([
      'y_bucket{kind="a",le="1"} 2',
      'y_bucket{kind="a",le="2"} 3',
      'y_bucket{kind="a",le="5"} 4',
      'y_bucket{kind="a",le="+Inf"} 5',
      'y_sum{kind="a"} 17',
      'y_count{kind="a"} 5',
    ])
  })

  test('without a value is described and has no cell', async () => {
    const registry = new Registry()
    createHistogram(registry, { name: 'y', help: 'Of y.', labels: [] }, [1])
    expect(await registry.metrics()).toContain('# HELP y Of y.')
    expect(linesOf(await registry.metrics())).toEqual([])
  })
})

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}
